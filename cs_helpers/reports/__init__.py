"""Reports: notebooks run with parameters, published as files. Knows nothing of tables, charts or metrics."""
