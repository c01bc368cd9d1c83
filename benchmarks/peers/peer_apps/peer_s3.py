"""An object store: moto's S3, with boto3: keys of all kinds, parts, policies, real files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from peer_files import real_files

REQUIREMENTS = ("moto[s3,server]==5.1.6", "boto3")
SENDS_FILES = True

KEYS = (
    "reports/2024/Q1 (final).pdf",
    "logs/2024-05-01/access.log.gz",
    "backup/db.sql",
    "site/.well-known/security.txt",
    "config/.gitignore",
    "a+b=c & d's.txt",
    "select/from/where.csv",
    "user=ann/date=2024-05-01/part-0000.parquet",
    "Üben/日本語.txt",
    "../up.txt",
    "etc/fstab.old",
    "web/index.php.txt",
    "dir/",
)


def app(folder: Path) -> Any:
    """The store, in memory."""
    from moto.server import DomainDispatcherApplication, create_backend_app

    return DomainDispatcherApplication(create_backend_app)


def drive(url: str, folder: Path, step: Any) -> None:
    """Use a bucket as programs do."""
    import boto3
    import requests
    from boto3.s3.transfer import TransferConfig
    from botocore.config import Config

    client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}),
    )
    step("makes a bucket", lambda: client.create_bucket(Bucket="shop"))
    for key in KEYS:
        step(
            f"puts {key}",
            lambda key=key: client.put_object(
                Bucket="shop", Key=key, Body=b"x", Metadata={"author": "O'Brien & <Sons>"}
            ),
        )
        step(f"reads {key}", lambda key=key: client.get_object(Bucket="shop", Key=key))
        step(
            f"copies {key}",
            lambda key=key: client.copy_object(
                Bucket="shop",
                Key="copy/" + key.strip("./"),
                CopySource={"Bucket": "shop", "Key": key},
            ),
        )
    for kind, name, content in real_files(15):

        def there_and_back(name: str = name, content: bytes = content) -> None:
            client.put_object(Bucket="shop", Key=name, Body=content)
            got = client.get_object(Bucket="shop", Key=name)["Body"].read()
            assert got == content

        step(f"puts {kind} {name}", there_and_back)
    big = folder / "big.bin"
    big.write_bytes(b"".join(content for _, _, content in real_files(40)) * 2)
    parts = TransferConfig(multipart_threshold=5_242_880, multipart_chunksize=5_242_880)
    step("uploads in parts", lambda: client.upload_file(str(big), "shop", "big", Config=parts))
    page = {"Bucket": "shop", "Prefix": "select/", "Delimiter": "/", "EncodingType": "url"}
    step("lists", lambda: client.list_objects_v2(**page))
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["s3:GetObject", "s3:Put*"],
        "Resource": "arn:aws:s3:::shop/*",
        "Condition": {"StringLike": {"aws:Referer": ["http://www.example.com/*"]}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    step("sets a policy", lambda: client.put_bucket_policy(Bucket="shop", Policy=policy))
    rule = {
        "ID": "old",
        "Status": "Enabled",
        "Filter": {"Prefix": "logs/"},
        "Expiration": {"Days": 9},
    }
    step(
        "sets a lifecycle",
        lambda: client.put_bucket_lifecycle_configuration(
            Bucket="shop", LifecycleConfiguration={"Rules": [rule]}
        ),
    )
    cors = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "AllowedHeaders": ["*"]}
    step(
        "allows origins",
        lambda: client.put_bucket_cors(Bucket="shop", CORSConfiguration={"CORSRules": [cors]}),
    )
    tags = {"TagSet": [{"Key": "team", "Value": "R+D / x = 1 @ home"}]}
    step(
        "tags",
        lambda: client.put_object_tagging(Bucket="shop", Key=KEYS[0], Tagging=tags),
    )

    def signed() -> None:
        link = client.generate_presigned_url("get_object", {"Bucket": "shop", "Key": KEYS[0]})
        assert requests.get(link, timeout=30).status_code == 200

    step("reads by a signed address", signed)
    keys = [{"Key": key} for key in KEYS]
    step("removes", lambda: client.delete_objects(Bucket="shop", Delete={"Objects": keys}))
