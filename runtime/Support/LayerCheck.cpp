// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See LayerCheck.h. Checks go from scalars to tables, so that no table is read
// before its extent is known to be sane.

#include "Support/LayerCheck.h"
#include "Support/Error.h"

#include <cmath>

using namespace cim::rt;

// No dimension of a real network comes near this; products of three stay far
// below 2^64.
static constexpr uint32_t maxDim = 1u << 20;
static constexpr uint64_t maxElements = uint64_t(1) << 31;

namespace {
struct TypeInfo {
  const char *name;
  uint32_t size;
};
} // namespace

// By cim_type.
static constexpr TypeInfo types[typeCount] = {
    {"f32", 4},  {"i8", 1},  {"u8", 1},  {"i32", 4}, {"i64", 8},
    {"bool", 1}, {"i16", 2}, {"u16", 2}, {"u32", 4}, {"u64", 8}};

// A driver's caller may hand over anything.
static TypeInfo infoOf(cim_type type) {
  return unsigned(type) < typeCount ? types[type]
                                    : TypeInfo{"an unknown type", 0};
}

uint32_t cim::rt::byteSize(cim_type type) { return infoOf(type).size; }

const char *cim::rt::typeName(cim_type type) { return infoOf(type).name; }

static std::string checkGeometry(const cim_layer &l) {
  struct {
    const char *name;
    uint32_t value;
  } dims[] = {{"in_h", l.in_h},
              {"in_w", l.in_w},
              {"in_c", l.in_c},
              {"out_h", l.out_h},
              {"out_w", l.out_w},
              {"out_c", l.out_c},
              {"kernel_h", l.kernel_h},
              {"kernel_w", l.kernel_w},
              {"stride_h", l.stride_h},
              {"stride_w", l.stride_w},
              {"dilation_h", l.dilation_h},
              {"dilation_w", l.dilation_w},
              {"groups", l.groups},
              {"plane_count", l.plane_count}};
  for (const auto &dim : dims)
    if (dim.value == 0 || dim.value > maxDim)
      return format("%s is %u, expected 1 .. %u", dim.name, dim.value, maxDim);
  if (l.pad_top > maxDim || l.pad_left > maxDim)
    return format("padding is %u, %u, expected at most %u", l.pad_top,
                  l.pad_left, maxDim);
  if (l.in_c % l.groups || l.out_c % l.groups)
    return format("%u input and %u output channels do not divide into %u "
                  "groups",
                  l.in_c, l.out_c, l.groups);
  // The map as the windows see it: padding included.
  uint64_t height = uint64_t(l.out_h - 1) * l.stride_h +
                    uint64_t(l.kernel_h - 1) * l.dilation_h + 1;
  uint64_t width = uint64_t(l.out_w - 1) * l.stride_w +
                   uint64_t(l.kernel_w - 1) * l.dilation_w + 1;
  uint64_t products[] = {height * width, uint64_t(l.in_h) * l.in_w,
                         uint64_t(l.out_h) * l.out_w};
  for (uint64_t product : products)
    if (product >= maxElements || product * l.in_c >= maxElements ||
        product * l.out_c >= maxElements)
      return "a feature map has 2^31 or more elements";
  if (uint64_t(l.plane_count) * l.out_c >= maxElements ||
      uint64_t(l.kernel_h) * l.kernel_w >= maxElements ||
      matrixRows(l) >= maxElements)
    return "the matrix has 2^31 or more rows";
  return "";
}

static std::string checkTypes(const cim_layer &l) {
  if (l.in_type != CIM_I8 && l.in_type != CIM_U8)
    return format("input type is %s, expected i8 or u8", typeName(l.in_type));
  if (l.out_type != CIM_F32 && l.out_type != CIM_I8 && l.out_type != CIM_U8)
    return format("output type is %s, expected f32, i8 or u8",
                  typeName(l.out_type));
  if (l.adc_lo >= l.adc_hi || l.adc_lo < -(1 << 23) || l.adc_hi > (1 << 23))
    return format("ADC codes %d .. %d are not a range of at most 24 bits",
                  l.adc_lo, l.adc_hi);
  if (l.adc_rounding < CIM_NEAREST_EVEN || l.adc_rounding > CIM_MID_RISE)
    return format("rounding of the ADC is %d, expected 0 (nearest even), 1 "
                  "(floor) or 2 (mid-rise)",
                  int(l.adc_rounding));
  if (l.out_rounding != CIM_NEAREST_EVEN && l.out_rounding != CIM_FLOOR)
    return format("rounding is %d, expected 0 (nearest even) or 1 (floor)",
                  int(l.out_rounding));
  if (!(l.lo <= l.hi))
    return format("output range %g .. %g is empty", l.lo, l.hi);
  float least = l.out_type == CIM_I8 ? -128.0f : 0.0f;
  float most = l.out_type == CIM_I8 ? 127.0f : 255.0f;
  if (l.out_type != CIM_F32 &&
      (l.lo < least || l.hi > most || l.lo != std::floor(l.lo) ||
       l.hi != std::floor(l.hi)))
    return format("output range %g .. %g does not fit %s", l.lo, l.hi,
                  typeName(l.out_type));
  return "";
}

static std::string checkBlock(const cim_layer &l, const cim_block &b,
                              const std::vector<ArrayShape> &arrays) {
  if (b.array >= arrays.size())
    return format("is on array %u, but there are %zu", b.array, arrays.size());
  if (b.plane >= l.plane_count)
    return format("is of plane %u, but there are %u", b.plane, l.plane_count);
  if (!b.k_count || !b.n_count || !b.repeat)
    return "is empty";
  if (uint64_t(b.k) + b.k_count > matrixRows(l) ||
      uint64_t(b.n) + b.n_count > l.out_c)
    return format("covers rows %u + %u and columns %u + %u of a %llu x %u "
                  "matrix",
                  b.k, b.k_count, b.n, b.n_count,
                  (unsigned long long)matrixRows(l), l.out_c);
  const ArrayShape &array = arrays[b.array];
  if (b.repeat > array.rows ||
      b.row + uint64_t(b.k_count) * b.repeat > array.rows ||
      uint64_t(b.column) + b.n_count > array.columns)
    return format("covers rows %u + %u * %u and columns %u + %u of array %u, "
                  "which is %u x %u",
                  b.row, b.k_count, b.repeat, b.column, b.n_count, b.array,
                  array.rows, array.columns);
  if (!std::isfinite(b.gain) || b.gain <= 0)
    return format("has gain %g, expected a finite number above 0", b.gain);
  for (uint32_t n = b.n; n < b.n + b.n_count; ++n) {
    float s = l.significance[uint64_t(b.plane) * l.out_c + n];
    if (!std::isfinite(s) || !std::isfinite(s / b.gain))
      return format("has significance %g and gain %g in column %u, expected "
                    "a finite quotient",
                    s, b.gain, n);
  }
  return "";
}

std::string cim::rt::checkLayer(const cim_layer &l,
                                const std::vector<ArrayShape> &arrays) {
  if (std::string text = checkGeometry(l); !text.empty())
    return text;
  if (std::string text = checkTypes(l); !text.empty())
    return text;
  if (!l.block_count || !l.blocks)
    return "the layer has no blocks";
  if (!l.significance || !l.scale || !l.bias)
    return "a table is null";
  for (uint32_t n = 0; n < l.out_c; ++n)
    if (!std::isfinite(l.scale[n]) || !std::isfinite(l.bias[n]))
      return format("scale %g or bias %g of channel %u is not finite",
                    l.scale[n], l.bias[n], n);
  for (uint32_t i = 0; i < l.block_count; ++i)
    if (std::string text = checkBlock(l, l.blocks[i], arrays); !text.empty())
      return format("block %u %s", i, text.c_str());
  return "";
}
