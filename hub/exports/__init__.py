"""What the hub gives out as files: which record is which customer, and people under a purpose.

People are read through the purpose's views, some at a time, and each time what is said of them is
entered as disclosed before a byte of it is written. Files are the same, byte for byte, as long as
the customers are: no times of processing, no order of arrival.
"""
