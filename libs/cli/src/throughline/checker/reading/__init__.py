"""Thin readers of the raw stores, the streams, the ERP, the processes and the logs; nothing here judges business."""
