"""The programs that the figures come from. Each compares both arms side by side in one run; helpers begin with `_`."""
