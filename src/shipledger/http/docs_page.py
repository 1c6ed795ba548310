def docs_page(document):
    return b"", []


def welcome_page(document):
    return b"", []
