"""P slices of H.264 that skip every macroblock, written from the headers of a stream.

A skipped macroblock is copied from its place in the last picture: its motion vector is 0 at the
edges of a picture (ITU-T H.264, 8.4.1.1), so it is 0 everywhere, and between such macroblocks
the deblocking filter does nothing (8.7.2.1). Clauses are those of ITU-T H.264 (08/2021).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

#: Bits of ``frame_num`` in what x264 writes for one reference (log2_max_frame_num_minus4 is 0).
FRAME_NUM_BITS: Final = 4
#: pic_order_cnt_type of pictures that are shown in the order of decoding, and say nothing of it.
_ORDER_OF_DECODING: Final = 2
#: emulation_prevention_three_byte.
_PREVENTION: Final = 3
#: Types of NAL units (table 7-1).
_SPS, _PPS = 7, 8
#: Profiles whose parameter sets have the fields of colour formats (7.3.2.1.1).
_HIGH_PROFILES: Final = frozenset({100, 110, 122, 244})
#: Start code, and the header of a slice (type 1) that later ones refer to (nal_ref_idc 2).
_SLICE: Final = b"\0\0\0\1\x41"
#: The largest quantiser. Nothing is quantised, but the larger it is, the likelier is a skip.
_QP: Final = 51
#: pStateIdx of mb_skip_flag at that quantiser: 64 are taken from (23 · 51 >> 4) + 33 (9.3.1.1,
#: table 9-13 with cabac_init_idc 0). The likelier value is 1. At 62 the state stays as it is.
_STATE: Final = 42
#: rangeTabLPS from that state to 62, by bits 6 and 7 of the range (table 9-44).
_RANGES: Final = (
    (16, 20, 23, 27), (15, 19, 22, 25), (14, 18, 21, 24), (14, 17, 20, 23), (13, 16, 19, 22),
    (12, 15, 18, 21), (12, 14, 17, 20), (11, 14, 16, 19), (11, 13, 15, 18), (10, 12, 15, 17),
    (10, 12, 14, 16), (9, 11, 13, 15), (9, 11, 12, 14), (8, 10, 12, 14), (8, 9, 11, 13),
    (7, 9, 11, 12), (7, 9, 10, 12), (7, 8, 10, 11), (6, 8, 9, 11), (6, 7, 9, 10), (6, 7, 8, 9),
)  # fmt: skip
#: codIRange at the beginning of a slice, and what it is doubled below (9.3.4.1, 9.3.4.3).
_RANGE, _HALF = 510, 256


@dataclass(frozen=True, slots=True)
class _Headers:
    """What a slice has to know of the parameter sets."""

    macroblocks: int
    cabac: bool
    weighted: bool
    qp: int
    deblocking: bool


def skip_slice(extradata: bytes) -> bytes | None:
    """Return a P slice with ``frame_num`` 0 that shows the last picture again.

    Args:
        extradata: Parameter sets of the stream, as NAL units with start codes.

    Returns:
        One NAL unit with its start code; None for streams with fields that are not written here:
        slice groups, interlacing, several references, a picture order count in each slice.
    """
    headers = _parsed(extradata)
    if headers is None:
        return None
    # slice_header() (7.3.3): first_mb_in_slice, slice_type 5, pic_parameter_set_id, frame_num,
    # num_ref_idx_active_override_flag, ref_pic_list_modification_flag_l0.
    bits = _ue(0) + _ue(5) + _ue(0) + "0" * FRAME_NUM_BITS + "00"
    if headers.weighted:  # pred_weight_table(): no weights
        bits += _ue(0) + _ue(0) + "00"
    bits += "0"  # adaptive_ref_pic_marking_mode_flag
    if headers.cabac:
        bits += _ue(0) + _se(_QP - headers.qp)  # cabac_init_idc, slice_qp_delta
    else:
        bits += _se(0)
    if headers.deblocking:
        bits += _ue(1)  # disable_deblocking_filter_idc
    if headers.cabac:
        bits += "1" * (-len(bits) % 8) + _skipped(headers.macroblocks)
    else:
        bits += _ue(headers.macroblocks) + "1"  # mb_skip_run, rbsp_stop_one_bit
    bits += "0" * (-len(bits) % 8)
    return _SLICE + _protected(int(bits, 2).to_bytes(len(bits) // 8))


def _skipped(macroblocks: int) -> str:
    """Return mb_skip_flag 1 and end_of_slice_flag of all macroblocks in CABAC, with the stop bit.

    All values but the last are the likelier ones, which leave the low end of the interval at 0
    and only make it narrower (9.3.4.2). So the bits are zeros, one for each doubling of the
    range, and then what the end of the slice puts there (9.3.4.5).
    """
    span, state, doublings = _RANGE, 0, 0
    for _ in range(macroblocks):
        span -= _RANGES[state][span >> 6 & 3]
        state = min(state + 1, len(_RANGES) - 1)
        if span < _HALF:
            span, doublings = span << 1, doublings + 1
        span -= 2  # end_of_slice_flag
        if span < _HALF:
            span, doublings = span << 1, doublings + 1
    return ("0" * doublings + f"{span | 1:010b}")[1:]  # the first bit is never written


def _parsed(extradata: bytes) -> _Headers | None:
    units = {unit[0] & 0x1F: unit[1:] for unit in re.split(b"\0\0\0?\1", extradata) if unit}
    if not units.keys() >= {_SPS, _PPS}:
        return None
    macroblocks = _macroblocks(_Bits(units[_SPS]))
    return None if macroblocks is None else _headers(_Bits(units[_PPS]), macroblocks)


def _macroblocks(sps: _Bits) -> int | None:
    """Return the macroblocks of a picture (seq_parameter_set_data(), 7.3.2.1.1)."""
    profile = sps.u(8)
    sps.u(16)  # constraint flags, level_idc
    plain = sps.ue() == 0  # seq_parameter_set_id
    if profile in _HIGH_PROFILES:
        # chroma_format_idc 4:2:0, bit depths, qpprime_y_zero_transform_bypass_flag,
        # seq_scaling_matrix_present_flag
        plain &= (sps.ue(), sps.ue(), sps.ue(), sps.u(1), sps.u(1)) == (1, 0, 0, 0, 0)
    plain &= sps.ue() + 4 == FRAME_NUM_BITS
    plain &= sps.ue() == _ORDER_OF_DECODING
    sps.ue()  # max_num_ref_frames
    sps.u(1)  # gaps_in_frame_num_value_allowed_flag
    macroblocks = (sps.ue() + 1) * (sps.ue() + 1)
    plain &= sps.u(1) == 1  # frame_mbs_only_flag
    return macroblocks if plain else None


def _headers(pps: _Bits, macroblocks: int) -> _Headers | None:
    """Return what a slice has to know (pic_parameter_set_rbsp(), 7.3.2.2)."""
    plain = (pps.ue(), pps.ue()) == (0, 0)  # pic_parameter_set_id, seq_parameter_set_id
    cabac = bool(pps.u(1))
    pps.u(1)  # bottom_field_pic_order_in_frame_present_flag
    plain &= pps.ue() == 0  # num_slice_groups_minus1, without which nothing is between
    plain &= pps.ue() == 0  # num_ref_idx_l0_default_active_minus1
    pps.ue()  # num_ref_idx_l1_default_active_minus1
    weighted = bool(pps.u(1))
    pps.u(2)  # weighted_bipred_idc
    qp = 26 + pps.se()
    pps.se()  # pic_init_qs_minus26
    pps.se()  # chroma_qp_index_offset
    deblocking = bool(pps.u(1))
    pps.u(1)  # constrained_intra_pred_flag
    plain &= pps.u(1) == 0  # redundant_pic_cnt_present_flag
    return _Headers(macroblocks, cabac, weighted, qp, deblocking) if plain else None


class _Bits:
    """Reads the fields of a NAL unit, without its header (7.2, 9.1)."""

    def __init__(self, unit: bytes) -> None:
        raw = unit.replace(b"\0\0\3", b"\0\0")
        self._bits = f"{int.from_bytes(raw):0{8 * len(raw)}b}"
        self._at = 0

    def u(self, count: int) -> int:
        """Read an unsigned number of ``count`` bits."""
        self._at += count
        return int(self._bits[self._at - count : self._at], 2)

    def ue(self) -> int:
        """Read an unsigned Exp-Golomb code."""
        zeros = self._bits.index("1", self._at) - self._at
        self._at += zeros
        return self.u(zeros + 1) - 1

    def se(self) -> int:
        """Read a signed Exp-Golomb code (table 9-3)."""
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -code // 2


def _ue(value: int) -> str:
    code = f"{value + 1:b}"
    return "0" * (len(code) - 1) + code


def _se(value: int) -> str:
    return _ue(2 * value - 1 if value > 0 else -2 * value)


def _protected(rbsp: bytes) -> bytes:
    """Return ``rbsp`` with emulation prevention: no three bytes look like a start code (7.4.1)."""
    found = bytearray()
    for byte in rbsp:
        if byte <= _PREVENTION and found.endswith(b"\0\0"):
            found.append(_PREVENTION)
        found.append(byte)
    return bytes(found)
