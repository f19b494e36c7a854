"""Reports: the run store, the summary in the terminal, the page, Allure labels."""
