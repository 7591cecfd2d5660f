// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See TestLayer.h.

#include "TestLayer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

using namespace cim::test;

static uint32_t between(std::mt19937 &random, uint32_t least, uint32_t most) {
  return std::uniform_int_distribution<uint32_t>(least, most)(random);
}

static float uniform(std::mt19937 &random, float least, float most) {
  return std::uniform_real_distribution<float>(least, most)(random);
}

static uint32_t kernelRows(const cim_layer &l) {
  return l.kernel_h * l.kernel_w * l.in_c;
}

void TestLayer::finish() {
  layer.size = sizeof layer;
  layer.blocks = blocks.data();
  layer.block_count = uint32_t(blocks.size());
  layer.significance = significance.data();
  layer.scale = scale.data();
  layer.bias = bias.data();
}

uint64_t TestLayer::outputBytes() const {
  return uint64_t(images) * layer.out_h * layer.out_w * layer.out_c *
         (layer.out_type == CIM_F32 ? 4 : 1);
}

static void randomGeometry(std::mt19937 &random, const LayerLimits &limits,
                           cim_layer &l) {
  l.kernel_h = between(random, 1, 3);
  l.kernel_w = between(random, 1, 3);
  l.stride_h = between(random, 1, 2);
  l.stride_w = between(random, 1, 2);
  l.dilation_h = between(random, 1, 2);
  l.dilation_w = between(random, 1, 2);
  l.groups = between(random, 0, 2) ? 1 : between(random, 2, 9);
  l.in_c =
      l.groups * between(random, 1, std::max(1u, limits.channels / l.groups));
  l.out_c =
      l.groups * between(random, 1, std::max(1u, limits.columns / l.groups));
  l.pad_top = between(random, 0, 2);
  l.pad_left = between(random, 0, 2);
  uint32_t extentH = (l.kernel_h - 1) * l.dilation_h + 1;
  uint32_t extentW = (l.kernel_w - 1) * l.dilation_w + 1;
  l.in_h = between(random, 1, limits.size);
  l.in_w = between(random, 1, limits.size);
  // Padding below and on the right is whatever the output size asks for.
  auto outputs = [&](uint32_t in, uint32_t before, uint32_t extent,
                     uint32_t stride) {
    uint32_t padded = std::max(in + before + between(random, 0, 2), extent);
    return (padded - extent) / stride + 1;
  };
  l.out_h = outputs(l.in_h, l.pad_top, extentH, l.stride_h);
  l.out_w = outputs(l.in_w, l.pad_left, extentW, l.stride_w);
}

/// Cuts `count` into random pieces of at most `most`.
static std::vector<std::pair<uint32_t, uint32_t>>
pieces(std::mt19937 &random, uint32_t count, uint32_t most) {
  std::vector<std::pair<uint32_t, uint32_t>> cuts;
  for (uint32_t at = 0; at < count;) {
    uint32_t size = std::min(count - at, between(random, 1 + most / 2, most));
    cuts.push_back({at, size});
    at += size;
  }
  return cuts;
}

/// Places one block on an array of its own, off the corner, with cells around
/// it that must not matter.
static void placeBlock(std::mt19937 &random, TestLayer &test, cim_block block,
                       float gain) {
  block.array = uint32_t(test.arrays.size());
  block.row = between(random, 0, 3);
  block.column = between(random, 0, 3);
  block.gain = gain;
  ArrayImage array;
  array.rows = block.row + block.k_count * block.repeat + between(random, 0, 2);
  array.columns = block.column + block.n_count + between(random, 0, 2);
  array.cells.resize(size_t(array.rows) * array.columns);
  for (int8_t &cell : array.cells)
    cell = int8_t(int(between(random, 0, 2)) - 1);
  test.arrays.push_back(array);
  test.blocks.push_back(block);
}

static void randomBlocks(std::mt19937 &random, TestLayer &test) {
  cim_layer &l = test.layer;
  uint32_t repeat = l.plane_count == 1 ? between(random, 1, 3) : 1;
  uint32_t perGroupK = kernelRows(l) / l.groups;
  uint32_t perGroupN = l.out_c / l.groups;
  struct Rectangle {
    uint32_t k, kCount, n, nCount;
  };
  std::vector<Rectangle> rectangles;
  if (l.groups == 1) {
    uint32_t most = between(random, 0, 1) ? kernelRows(l)
                                          : between(random, 1, kernelRows(l));
    for (auto [k, count] : pieces(random, kernelRows(l), std::max(1u, most)))
      rectangles.push_back({k, count, 0, l.out_c});
  } else {
    // Whole groups on the diagonal of one block.
    for (auto [g, count] :
         pieces(random, l.groups, between(random, 1, l.groups)))
      rectangles.push_back(
          {g * perGroupK, count * perGroupK, g * perGroupN, count * perGroupN});
  }
  for (const Rectangle &r : rectangles)
    for (uint32_t plane = 0; plane < l.plane_count; ++plane)
      for (auto [n, count] :
           pieces(random, r.nCount, between(random, 1, r.nCount)))
        placeBlock(random, test,
                   {0, 0, 0, plane, r.k, r.kCount, r.n + n, count, repeat, 1},
                   uniform(random, 0.02f, 0.5f));
}

static void randomEpilogue(std::mt19937 &random, TestLayer &test) {
  cim_layer &l = test.layer;
  bool residual = between(random, 0, 3) == 0;
  float weight = 1;
  for (uint32_t p = 0; p < l.plane_count; ++p, weight *= 3)
    for (uint32_t n = 0; n < l.out_c; ++n)
      test.significance.push_back(residual ? uniform(random, 0.1f, 2) : weight);
  for (uint32_t n = 0; n < l.out_c; ++n) {
    test.scale.push_back(uniform(random, 0.01f, 0.2f));
    test.bias.push_back(uniform(random, -3, 3));
  }
  l.adc_lo = between(random, 0, 1) ? -32 : -31;
  l.adc_hi = 31;
  l.adc_rounding = cim_rounding(between(random, 0, 2));
  l.out_rounding = between(random, 0, 1) ? CIM_FLOOR : CIM_NEAREST_EVEN;
  l.out_type = cim_type(between(random, 0, 2));
  constexpr float infinity = std::numeric_limits<float>::infinity();
  l.lo = l.out_type == CIM_F32  ? (between(random, 0, 1) ? 0 : -infinity)
         : l.out_type == CIM_I8 ? -63.0f
                                : 0.0f;
  l.hi = l.out_type == CIM_F32  ? infinity
         : l.out_type == CIM_I8 ? 63.0f
                                : 127.0f;
}

static void randomInput(std::mt19937 &random, TestLayer &test) {
  cim_layer &l = test.layer;
  l.in_type = between(random, 0, 1) ? CIM_I8 : CIM_U8;
  test.input.resize(size_t(test.images) * l.in_h * l.in_w * l.in_c);
  for (int8_t &q : test.input)
    q = l.in_type == CIM_I8 ? int8_t(int(between(random, 0, 126)) - 63)
                            : int8_t(between(random, 0, 127));
}

std::unique_ptr<TestLayer> cim::test::randomLayer(std::mt19937 &random,
                                                  const LayerLimits &limits) {
  auto test = std::make_unique<TestLayer>();
  test->layer.name = "random";
  randomGeometry(random, limits, test->layer);
  test->layer.plane_count = between(random, 1, 3);
  randomBlocks(random, *test);
  randomEpilogue(random, *test);
  test->images = between(random, 1, 3);
  randomInput(random, *test);
  test->finish();
  return test;
}

std::unique_ptr<TestLayer> cim::test::matrixLayer(std::mt19937 &random,
                                                  uint32_t k, uint32_t n,
                                                  uint32_t images) {
  auto test = std::make_unique<TestLayer>();
  cim_layer &l = test->layer;
  l.name = "matrix";
  l.in_h = l.out_h = 1;
  l.in_w = l.out_w = 1;
  l.in_c = k;
  l.out_c = n;
  l.kernel_h = l.kernel_w = l.stride_h = l.stride_w = 1;
  l.dilation_h = l.dilation_w = l.groups = l.plane_count = 1;
  placeBlock(random, *test, {0, 0, 0, 0, 0, k, 0, n, 1, 1}, 1.0f);
  test->significance.assign(n, 1);
  test->scale.assign(n, 1);
  test->bias.assign(n, 0);
  l.adc_lo = -(1 << 20);
  l.adc_hi = 1 << 20;
  l.out_type = CIM_F32;
  l.lo = -std::numeric_limits<float>::infinity();
  l.hi = std::numeric_limits<float>::infinity();
  test->images = images;
  randomInput(random, *test);
  test->finish();
  return test;
}

std::string cim::test::describe(const TestLayer &test) {
  const cim_layer &l = test.layer;
  std::string text;
  for (uint32_t value :
       {l.in_h, l.in_w, l.in_c, l.out_h, l.out_w, l.out_c, l.kernel_h,
        l.kernel_w, l.stride_h, l.stride_w, l.dilation_h, l.dilation_w,
        l.pad_top, l.pad_left, l.groups, l.plane_count, l.block_count})
    text += std::to_string(value) + " ";
  return text + (l.in_type == CIM_I8 ? "i8" : "u8");
}

//===----------------------------------------------------------------------===//
// The numeric contract, once more
//===----------------------------------------------------------------------===//

/// Input of matrix row `k` at output position (oh, ow) of an image.
static int32_t inputAt(const TestLayer &test, uint32_t image, uint32_t k,
                       uint32_t oh, uint32_t ow) {
  const cim_layer &l = test.layer;
  uint32_t perGroup = l.in_c / l.groups;
  uint32_t c = k % perGroup, rest = k / perGroup;
  uint32_t kw = rest % l.kernel_w;
  rest /= l.kernel_w;
  uint32_t kh = rest % l.kernel_h, g = rest / l.kernel_h;
  int ih = int(oh * l.stride_h + kh * l.dilation_h) - int(l.pad_top);
  int iw = int(ow * l.stride_w + kw * l.dilation_w) - int(l.pad_left);
  if (ih < 0 || ih >= int(l.in_h) || iw < 0 || iw >= int(l.in_w))
    return 0;
  int8_t q = test.input[((size_t(image) * l.in_h + ih) * l.in_w + iw) * l.in_c +
                        g * perGroup + c];
  return l.in_type == CIM_I8 ? q : uint8_t(q);
}

static float roundTo(cim_rounding rounding, float x) {
  return rounding == CIM_NEAREST_EVEN ? std::nearbyint(x) : std::floor(x);
}

static float outputAt(const TestLayer &test, bool ideal, uint32_t image,
                      uint32_t oh, uint32_t ow, uint32_t n) {
  const cim_layer &l = test.layer;
  volatile float s = 0; // volatile: one operation at a time
  for (const cim_block &b : test.blocks) {
    if (n < b.n || n >= b.n + b.n_count)
      continue;
    const ArrayImage &array = test.arrays[b.array];
    int32_t acc = 0;
    for (uint32_t k = 0; k < b.k_count; ++k)
      for (uint32_t r = 0; r < b.repeat; ++r)
        acc += inputAt(test, image, b.k + k, oh, ow) *
               array.cells[size_t(b.row + k * b.repeat + r) * array.columns +
                           b.column + n - b.n];
    volatile float v = float(acc);
    volatile float coefficient = test.significance[b.plane * l.out_c + n];
    if (!ideal) {
      v = v * b.gain;
      v = std::min(std::max(roundTo(l.adc_rounding, v), float(l.adc_lo)),
                   float(l.adc_hi));
      if (l.adc_rounding == CIM_MID_RISE)
        v = v + 0.5f;
      coefficient = coefficient / b.gain;
    }
    volatile float term = v * coefficient;
    s = s + term;
  }
  volatile float y = s * test.scale[n];
  y = y + test.bias[n];
  float result = y;
  if (l.out_type != CIM_F32)
    result = roundTo(l.out_rounding, result);
  return std::min(std::max(result, l.lo), l.hi);
}

std::vector<uint8_t> cim::test::expectedOutput(const TestLayer &test,
                                               bool ideal) {
  const cim_layer &l = test.layer;
  std::vector<uint8_t> output(test.outputBytes());
  size_t at = 0;
  for (uint32_t image = 0; image < test.images; ++image)
    for (uint32_t oh = 0; oh < l.out_h; ++oh)
      for (uint32_t ow = 0; ow < l.out_w; ++ow)
        for (uint32_t n = 0; n < l.out_c; ++n, ++at) {
          float y = outputAt(test, ideal, image, oh, ow, n);
          if (l.out_type == CIM_F32)
            memcpy(output.data() + at * 4, &y, 4);
          else
            output[at] = uint8_t(int(y));
        }
  return output;
}
