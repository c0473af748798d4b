"""What every page says, once: from views to blocks of text, tables and charts, which the static site and Dash lay out.

A page knows nothing of HTML or of Dash, and places are names with a query: each shell turns them into addresses of its
own. So both say the same, and texts of models stay text in both.
"""
