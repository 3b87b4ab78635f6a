"""The serial protocol as a board speaks it: sizes of requests, and its structures as bytes.

Source: the firmware contracts published with the maker's package ``benchlab-pycore`` 0.8.0, one
for each product and firmware. Little-endian, C alignment, no framing, no error answers.
"""

import struct
from collections.abc import Mapping
from enum import IntEnum

import attrs

from hw_sim.benchlab.readings import Readings

VENDOR = 0xEE
WELCOME_SIZE = 32


class Op(IntEnum):
    """The first byte of a request."""

    WELCOME = 0x00
    READ_SENSORS = 0x01
    ACTION = 0x02
    READ_NAME = 0x03
    WRITE_NAME = 0x04
    READ_FAN_PROFILE = 0x05
    WRITE_FAN_PROFILE = 0x06
    READ_RGB = 0x07
    WRITE_RGB = 0x08
    READ_CALIBRATION = 0x09
    WRITE_CALIBRATION = 0x0A
    LOAD_CALIBRATION = 0x0B
    STORE_CALIBRATION = 0x0C
    READ_UID = 0x0D
    READ_VENDOR_DATA = 0x0E
    READ_FAULT = 0x0F
    WRITE_FAULT = 0x10
    LOAD_CONFIG = 0x11
    STORE_CONFIG = 0x12
    READ_DEFAULT_CONFIG = 0x13
    STATUS = 0x14
    FACTORY_CAL_UNLOCK = 0x16
    RESET = 0xF0
    BOOTLOADER = 0xF1
    NOP = 0xFF


WRITES = frozenset(
    {
        *(Op.ACTION, Op.WRITE_NAME, Op.WRITE_FAN_PROFILE, Op.WRITE_RGB, Op.WRITE_CALIBRATION),
        *(Op.LOAD_CALIBRATION, Op.STORE_CALIBRATION, Op.WRITE_FAULT, Op.LOAD_CONFIG),
        *(Op.STORE_CONFIG, Op.FACTORY_CAL_UNLOCK, Op.RESET, Op.BOOTLOADER),
    }
)
SIZES: Mapping[int, int] = {  # of whole requests; those not listed end where their packet ends
    **{op: 1 for op in Op if op not in WRITES},
    Op.ACTION: 5,
    Op.READ_FAN_PROFILE: 3,
    Op.WRITE_FAN_PROFILE: 17,
    Op.READ_RGB: 2,
    Op.WRITE_RGB: 8,
    Op.LOAD_CALIBRATION: 2,
    Op.STORE_CALIBRATION: 2,
    Op.WRITE_FAULT: 129,
    Op.LOAD_CONFIG: 1,
    Op.STORE_CONFIG: 1,
    Op.FACTORY_CAL_UNLOCK: 9,
    Op.RESET: 1,
    Op.BOOTLOADER: 1,
}


@attrs.frozen
class Product:
    """What tells one product from another.

    Args:
        long_welcome_from: The first firmware that greets with 32 bytes, also when it is opened.
        more_from: The first firmware with STATUS and what came along with it.
        tenths_from: The first firmware that tells the chip's temperature in tenths of a degree.
        faults_from: The first firmware whose sensor data ends with fault masks.
    """

    code: int
    title: str
    firmwares: tuple[int, ...]
    rails: int
    probes: int
    calibration_size: int
    config_size: int
    long_welcome_from: int
    more_from: int
    tenths_from: int
    faults_from: int = 256


PRODUCTS: Mapping[str, Product] = {
    "original": Product(0x10, "BENCHLAB", (2, 3, 4, 5, 6), 11, 4, 178, 426, 5, 4, 3),
    "bl2": Product(0x11, "BENCHLAB 2", (3, 4, 5, 6, 7), 23, 8, 294, 560, 6, 5, 4, 5),
}


def welcome(product: Product, firmware: int) -> bytes:
    """What it greets with: 9 bytes, or 32."""
    if firmware < product.long_welcome_from:
        return b"BENCHLAB\0"
    return product.title.encode().ljust(WELCOME_SIZE, b"\0")


def sensors(product: Product, firmware: int, now: Readings) -> bytes:
    """The answer to READ_SENSORS."""
    chip = now.chip if firmware >= product.tenths_from else round(now.chip / 10)
    parts = [
        struct.pack("<13h", *now.vins),
        struct.pack("<HHh", now.vdd, now.vref, chip),
        struct.pack(f"<{product.probes}h", *now.probes[: product.probes]),
        struct.pack("<hH", now.ambient, now.humidity),
        bytes((*now.switches, now.external_duty)),
        *(struct.pack("<hhii", rail[0], 0, *rail[1:]) for rail in now.rails[: product.rails]),
        *(struct.pack("<BBH", *fan) for fan in now.fans),
    ]
    if firmware >= product.faults_from:
        parts.append(struct.pack("<QQ", now.faults, now.past_faults))
    return b"".join(parts)


def limits(product: Product, firmware: int, *, is_high: bool) -> bytes:
    """Sensor data in which every field has the highest or the lowest value of its type."""
    signed = "7F" if is_high else "80"
    other = "FF" if is_high else "00"
    short, long = f"{other}{signed}", f"{other * 3}{signed}"
    text = short * 13 + other * 4 + short * (1 + product.probes + 1) + other * (2 + 4)
    text += (short + "0000" + long * 2) * product.rails + other * 4 * 9
    if firmware >= product.faults_from:
        text += other * 16
    return bytes.fromhex(text)


def fixed_answer(product: Product, firmware: int, request: bytes) -> bytes:
    """Answers to what reads settings; empty where the firmware gives none."""
    has_more = firmware >= product.more_from
    match Op(request[0]):
        case Op.READ_FAN_PROFILE if request[1] < 3 and request[2] < 9:
            return struct.pack("<BBhhBBBBBBBx", 0, 0, 300, 600, 35, 85, 5, 50, 20, 100, 0)
        case Op.READ_RGB if request[1] < 2:
            return bytes((0, 255, 128, 0, 0, 50))
        case Op.READ_CALIBRATION:
            return bytes(product.calibration_size)
        case Op.READ_FAULT if has_more and product.faults_from < 256:
            return bytes(128)
        case Op.READ_DEFAULT_CONFIG if has_more:
            return bytes(product.config_size)
    return b""
