"""img2dataset as its users run it on this machine: 2 processes × 32 threads, 256 px, WebDataset.

usage: img2dataset_run.py LIST.csv OUT
"""
import sys

from img2dataset import download

if __name__ == "__main__":  # its processes are spawned, so they import this file again
    download(
        url_list=sys.argv[1], input_format="csv", url_col="url", caption_col="caption", output_folder=sys.argv[2],
        output_format="webdataset", image_size=256, resize_mode="center_crop", processes_count=2, thread_count=32,
        number_sample_per_shard=500, retries=1, timeout=10, disallowed_header_directives=["noai", "noimageai"],
        enable_wandb=False)
