"""Models in a real browser: onnxruntime-web in Chromium, Chrome or Edge, driven by Playwright.

Each cell has a browser of its own, with a fresh profile and one page, and reaches nothing but the loopback. What pip
does not bring, `muster browsers install` does.
"""
