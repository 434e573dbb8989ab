"""A model that needs no key: a real server on loopback whose answers follow a script.

    from palate.llm.scripted.scripts import load_script
    from palate.llm.scripted.server import serve

    with serve(load_script("demo")) as server:
        ...  # any OpenAI client at server.base_url

`python -m palate.llm.scripted demo --port 8123` serves it to other programs.
"""
