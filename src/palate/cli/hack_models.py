"""Two models in one command, a judge and a generator, that share what they may cost.

The generator is asked first. The judge is opened when it is asked, with what the generator has left
of the budget; that it can be opened at all is seen before anything is spent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any

from palate.cli.llm_options import LlmOptions, closing_line, open_client

if TYPE_CHECKING:
    from palate.cli.progress import Stages
    from palate.llm.client import Client
    from palate.llm.dry import DryClient
    from palate.llm.outcome import Outcome
    from palate.llm.request import Request

Answering = Callable[["Request"], Mapping[str, Any]]


class TwoModels:
    """The judge and the generator of a command; one client where they are the same model.

    Parameters
    ----------
    judge
        What the options say about the judge.
    generator
        What they say about the generator.
    stages
        Shows how far the calls are.
    answer
        Typical answers of a dry run.
    """

    def __init__(
        self, judge: LlmOptions, generator: LlmOptions, stages: Stages, *, answer: Answering
    ) -> None:
        self._options, self._stages, self._answer = judge, stages, answer
        self.stores = not judge.no_store
        self._open = ExitStack()
        self.same = judge == generator
        if not self.same:
            open_client(judge, answer=answer).close()
        self.generator = open_client(generator, stages, answer=answer)
        self._open.callback(self.generator.close)
        self.judge: Client | DryClient | _Later = self.generator if self.same else _Later(self)

    def __enter__(self) -> TwoModels:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def lines(self) -> list[str]:
        """Return what was spent, or what a dry run would take, a line for each model."""
        if self.same:
            return [closing_line(self.generator)]
        lines = [f"Generator: {closing_line(self.generator)}"]
        if isinstance(self.judge, _Later) and self.judge.client is not None:
            lines.append(f"Judge: {closing_line(self.judge.client)}")
        return lines

    def open_judge(self) -> Client | DryClient:
        """Return the judge with what is left of the budget."""
        limit = self._options.max_cost
        if limit is not None:
            limit = max(limit - self.taken(), 0.0)
        options = replace(self._options, max_cost=limit)
        client = open_client(options, self._stages, answer=self._answer)
        self._open.callback(client.close)
        return client

    def taken(self) -> float:
        """Return what the generator took of the budget, calls that broke included."""
        return float(getattr(self.generator, "committed", 0.0))


class _Later:
    """A judge that is opened when it is asked."""

    def __init__(self, models: TwoModels) -> None:
        self._models = models
        self.client: Client | DryClient | None = None

    @property
    def backend(self) -> object:
        """Way to the model, once it is open."""
        return getattr(self.client, "backend", None)

    def ask(self, requests: Sequence[Request]) -> list[Outcome]:
        """Return one outcome per request, in their order.

        Parameters
        ----------
        requests
            The questions.

        Raises
        ------
        BudgetError
            If both models together reached the limit of cost.
        """
        from palate.errors import BudgetError

        if self.client is None:
            self.client = self._models.open_judge()
        try:
            return self.client.ask(requests)
        except BudgetError as error:
            taken = self._models.taken()
            raise BudgetError(
                error.spent + taken,
                error.limit + taken,
                error.unsent,
                unsure=error.unsure,
                stored=self._models.stores,
            ) from None
