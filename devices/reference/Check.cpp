// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What hal.h asks of a layer, in the order in which one thing relies on
// another: scalars before the tables that they measure.

#include "Layer.h"

#include <algorithm>
#include <cmath>

using namespace cim::reference;

/// Largest dimension. Products of three stay within 64 bits.
static constexpr uint32_t maxDim = 1u << 20;
static constexpr uint64_t maxElements = uint64_t(1) << 31;

static uint64_t rowsOf(const cim_layer &l) {
  return uint64_t(l.kernel_h) * l.kernel_w * l.in_c;
}

static std::string checkDims(const cim_layer &l) {
  for (uint32_t dim : {l.in_h, l.in_w, l.in_c, l.out_h, l.out_w, l.out_c,
                       l.kernel_h, l.kernel_w, l.stride_h, l.stride_w,
                       l.dilation_h, l.dilation_w, l.groups, l.plane_count})
    if (dim == 0 || dim > maxDim)
      return "a dimension is " + std::to_string(dim);
  if (l.pad_top > maxDim || l.pad_left > maxDim)
    return "the padding is too large";
  if (l.in_c % l.groups || l.out_c % l.groups)
    return "the channels do not divide into the groups";
  return "";
}

static std::string checkSizes(const cim_layer &l) {
  // What the windows reach, padding included.
  uint64_t height = uint64_t(l.out_h - 1) * l.stride_h +
                    uint64_t(l.kernel_h - 1) * l.dilation_h + 1;
  uint64_t width = uint64_t(l.out_w - 1) * l.stride_w +
                   uint64_t(l.kernel_w - 1) * l.dilation_w + 1;
  for (uint64_t positions :
       {uint64_t(l.in_h) * l.in_w, uint64_t(l.out_h) * l.out_w, height * width})
    if (positions >= maxElements || positions * l.in_c >= maxElements ||
        positions * l.out_c >= maxElements)
      return "a feature map has 2^31 or more elements";
  if (uint64_t(l.kernel_h) * l.kernel_w >= maxElements ||
      rowsOf(l) >= maxElements ||
      uint64_t(l.plane_count) * l.out_c >= maxElements)
    return "the matrix is too large";
  return "";
}

static bool isRounding(cim_rounding rounding) {
  return rounding == CIM_NEAREST_EVEN || rounding == CIM_FLOOR;
}

static std::string checkConverters(const cim_layer &l) {
  if (l.in_type != CIM_I8 && l.in_type != CIM_U8)
    return "the input type is not i8 or u8";
  if (l.out_type != CIM_F32 && l.out_type != CIM_I8 && l.out_type != CIM_U8)
    return "the output type is not f32, i8 or u8";
  if ((!isRounding(l.adc_rounding) && l.adc_rounding != CIM_MID_RISE) ||
      !isRounding(l.out_rounding))
    return "a rounding is unknown";
  constexpr int32_t most = 1 << 23;
  if (l.adc_lo >= l.adc_hi || l.adc_lo < -most || l.adc_hi > most)
    return "the ADC's codes are no range";
  if (!(l.lo <= l.hi))
    return "the output range is empty";
  if (l.out_type == CIM_F32)
    return "";
  float least = l.out_type == CIM_I8 ? -128 : 0;
  if (l.lo < least || l.hi > least + 255 || l.lo != std::floor(l.lo) ||
      l.hi != std::floor(l.hi))
    return "the output range does not fit its type";
  return "";
}

static std::string checkPlace(const Chip &chip, const cim_layer &l,
                              const cim_block &b) {
  auto found = chip.arrays.find(b.array);
  if (found == chip.arrays.end())
    return "is on array " + std::to_string(b.array) + ", not programmed";
  const Array &array = found->second;
  if (b.k_count == 0 || b.n_count == 0 || b.repeat == 0)
    return "is empty";
  if (uint64_t(b.k) + b.k_count > rowsOf(l) ||
      uint64_t(b.n) + b.n_count > l.out_c || b.plane >= l.plane_count)
    return "lies outside the matrix";
  if (b.repeat > array.rows ||
      b.row + uint64_t(b.k_count) * b.repeat > array.rows ||
      uint64_t(b.column) + b.n_count > array.columns)
    return "lies outside array " + std::to_string(b.array);
  return "";
}

static std::string checkGain(const cim_layer &l, const cim_block &b) {
  if (!std::isfinite(b.gain) || b.gain <= 0)
    return "has a gain that is not finite and positive";
  for (uint32_t n = b.n; n < b.n + b.n_count; ++n) {
    float significance = l.significance[size_t(b.plane) * l.out_c + n];
    if (!std::isfinite(significance) || !std::isfinite(significance / b.gain))
      return "has a significance that is not finite";
  }
  return "";
}

std::string cim::reference::checkSums(const Chip &chip, const cim_layer &l) {
  uint64_t levels = uint64_t(std::max(-chip.config.cellLo, chip.config.cellHi));
  uint64_t input = uint64_t(1) << chip.config.inputBits;
  if (chip.config.input.jitter != 0)
    input = std::max<uint64_t>(input, 128);
  for (uint32_t i = 0; i < l.block_count; ++i) {
    const cim_block &b = l.blocks[i];
    // In mode analog the cells of a weight conduct at most 127 codes.
    uint64_t weight = std::max<uint64_t>(127, b.repeat * levels);
    if (b.k_count * input > INT32_MAX / weight)
      return "block " + std::to_string(i) + ": sums have more than 31 bits";
  }
  return "";
}

std::string cim::reference::checkLayer(const Chip &chip, const cim_layer &l) {
  if (std::string error = checkDims(l); !error.empty())
    return error;
  if (std::string error = checkSizes(l); !error.empty())
    return error;
  if (std::string error = checkConverters(l); !error.empty())
    return error;
  if (!l.block_count || !l.blocks || !l.significance || !l.scale || !l.bias)
    return "a table is missing";
  for (uint32_t n = 0; n < l.out_c; ++n)
    if (!std::isfinite(l.scale[n]) || !std::isfinite(l.bias[n]))
      return "scale or bias " + std::to_string(n) + " is not finite";
  for (uint32_t i = 0; i < l.block_count; ++i) {
    std::string error = checkPlace(chip, l, l.blocks[i]);
    if (error.empty())
      error = checkGain(l, l.blocks[i]);
    if (!error.empty())
      return "block " + std::to_string(i) + " " + error;
  }
  return "";
}
