def pytest_configure(config):
    config.addinivalue_line("markers", "tsan: run under ThreadSanitizer as well")
