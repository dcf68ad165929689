"""The page's charts: figures in plain dicts, drawn by Plotly in the browser."""
