"""KMS: data keys that open only under the context that they were made for."""

import re

from world import equal, holds, matches, refused


def run(world):
    kms = world.client("kms")
    context = {"tenant": "ten_a", "purpose": "token"}

    with world.step("kms", "CreateKey"):
        key = kms.create_key(Description=world.name("key"))["KeyMetadata"]
        arn = re.compile(rf"arn:aws:kms:us-east-1:{world.account}:key/[0-9a-f-]{{36}}")
        matches(arn, key["Arn"], "Arn")
        equal(key["KeyState"], "Enabled", "KeyState")

    with world.step("kms", "GenerateDataKey"):
        made = kms.generate_data_key(KeyId=key["Arn"], KeySpec="AES_256", EncryptionContext=context)
        equal(len(made["Plaintext"]), 32, "length of the key")
        equal(made["KeyId"], key["Arn"], "KeyId")
        holds(made["Plaintext"] not in made["CiphertextBlob"], "the ciphertext hides the key")
        other = kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256", EncryptionContext=context)
        holds(other["Plaintext"] != made["Plaintext"], "two data keys differ")
        unknown = key["Arn"][:-36] + "00000000-0000-4000-8000-000000000000"
        refused(kms.generate_data_key, "NotFoundException", 400, KeyId=unknown, KeySpec="AES_256")

    with world.step("kms", "Decrypt"):
        sealed = {"CiphertextBlob": made["CiphertextBlob"]}
        opened = kms.decrypt(**sealed, EncryptionContext=context)
        equal(opened["Plaintext"], made["Plaintext"], "the key")
        equal(opened["KeyId"], key["Arn"], "KeyId")
        equal(opened["EncryptionAlgorithm"], "SYMMETRIC_DEFAULT", "EncryptionAlgorithm")
        wrong = ({"tenant": "ten_b", "purpose": "token"}, {"tenant": "ten_a"}, {})
        for other_context in wrong:
            ask = {**sealed, "EncryptionContext": other_context}
            refused(kms.decrypt, "InvalidCiphertextException", 400, **ask)
        broken = bytearray(made["CiphertextBlob"])
        broken[-1] ^= 1
        ask = {"CiphertextBlob": bytes(broken), "EncryptionContext": context}
        refused(kms.decrypt, "InvalidCiphertextException", 400, **ask)
