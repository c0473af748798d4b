"""Models in a real browser: onnxruntime-web in Chromium, Chrome or Edge, driven by Playwright.

Each cell has a page of its own, in a browser with a fresh profile that reaches nothing but the loopback. What pip does
not bring, `muster browsers install` does.
"""
