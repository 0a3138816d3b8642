"""What other programs make of a run's files; each command prints one JSON line per finding.

webdataset RUN                 every pair that Python's webdataset gives of the shards in dataset.json
open_clip RUN TOLD             the same of open_clip's own training pipeline; TOLD: the number of pairs, or
                               "sizes", where the program must find it beside the shards
img2dataset LIST OUT ROWS      runs that program over a Parquet list, ROWS a shard
columns FROM TO NAME …         these columns of the CSV list FROM as the Parquet list TO, with types
tables TABLE …                 columns and rows of Parquet tables, by pyarrow and by pandas
"""
import json
import sys


def shards(run):
    with open(run + "/dataset.json", encoding="utf-8") as file:
        paths = [f"{run}/{shard['file']}" for shard in json.load(file)["shards"]]
    return ["pipe:lz4 -dc " + path if path.endswith(".lz4") else path for path in paths]


def show(**finding):
    print(json.dumps(finding))


def of_webdataset(run):
    import webdataset

    for sample in webdataset.WebDataset(shards(run), shardshuffle=False).decode("pil"):
        pictures = [sample[ending] for ending in ("jpg", "png", "webp") if ending in sample]
        assert len(pictures) == 1, sample.keys()
        assert sample["json"]["key"] == sample["__key__"], sample
        size = pictures[0].size
        show(key=sample["__key__"], caption=sample.get("txt"), width=size[0], height=size[1])


def of_open_clip(run, told):
    import argparse
    import functools
    import inspect

    import open_clip_train.data as data
    import torch

    # open_clip 3.3 wants webdataset <= 0.2.86; later ones mark the end of a shard, on which it stops.
    if "eof_value" in inspect.signature(data.tar_file_expander).parameters:
        data.tar_file_expander = functools.partial(data.tar_file_expander, eof_value=None)
    args = argparse.Namespace(
        train_data="::".join(shards(run)), val_data=None, dataset_resampled=False, batch_size=1, workers=0,
        world_size=1, seed=0, train_data_upsampling_factors=None,
        train_num_samples=None if told == "sizes" else int(told))
    pairs = data.get_wds_dataset(
        args, lambda picture: torch.tensor(picture.size), is_train=True, tokenizer=lambda text: [text])
    for sizes, captions in pairs.dataloader:
        show(caption=captions[0], width=int(sizes[0][0]), height=int(sizes[0][1]))
    show(num_samples=pairs.dataloader.num_samples)


def of_img2dataset(path, out, rows):
    import pyarrow.parquet
    from img2dataset import download

    carried = [name for name in pyarrow.parquet.read_schema(path).names if name not in ("url", "caption")]
    download(
        url_list=path, input_format="parquet", url_col="url", caption_col="caption", output_folder=out,
        output_format="webdataset", image_size=64, resize_mode="center_crop", processes_count=1, thread_count=16,
        number_sample_per_shard=int(rows), extract_exif=True, save_additional_columns=carried, timeout=5,
        disallowed_header_directives=["noai", "noimageai", "noindex", "noimageindex"], enable_wandb=False)


def columns(source, target, *names):
    import pyarrow.csv
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.csv.read_csv(source).select(names), target)


def tables(*paths):
    import pandas
    import pyarrow.parquet

    for path in paths:
        table = pyarrow.parquet.read_table(path)
        frame = pandas.read_parquet(path)
        assert list(frame.columns) == table.schema.names and len(frame) == table.num_rows
        show(columns=[f"{field.name}: {field.type}" for field in table.schema], rows=table.to_pylist())


if __name__ == "__main__":  # img2dataset's processes are spawned, so they import this file again
    commands = {
        "webdataset": of_webdataset, "open_clip": of_open_clip, "img2dataset": of_img2dataset,
        "columns": columns, "tables": tables,
    }
    commands[sys.argv[1]](*sys.argv[2:])
