// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Results of small layers against docs/Numerics.md: some worked out by hand,
// then random ones against a plain loop.

#include "Probe.h"

#include <algorithm>
#include <cstring>

using namespace cim::check;
using namespace cim::test;

namespace {
/// A product of one row and one column: input 0 .. 9 times one cell.
struct Line {
  std::unique_ptr<TestLayer> test;

  Line() {
    std::mt19937 random(1);
    test = matrixLayer(random, 1, 1, 10);
    test->layer.in_type = CIM_I8;
    for (int i = 0; i < 10; ++i)
      test->input[i] = int8_t(i);
    for (int8_t &cell : test->arrays[0].cells)
      cell = 1;
  }
  cim_layer &layer() { return test->layer; }
  cim_block &block() { return test->blocks[0]; }
};
} // namespace

/// Runs a line in `mode` and compares with what was worked out by hand.
static void expectLine(Probe &probe, Line &line, const char *mode,
                       const char *what, const std::vector<float> &wanted) {
  ChipOptions options;
  options.mode = mode;
  line.test->finish();
  Chip chip(probe, options);
  if (!chip) {
    probe.skip(std::string("the device has no mode ") + mode);
    return;
  }
  if (!chip.load(*line.test))
    return;
  std::vector<uint8_t> bytes = chip.run(*line.test);
  for (size_t i = 0; i < wanted.size() && probe.ok(); ++i) {
    float found;
    if (line.layer().out_type == CIM_F32)
      memcpy(&found, bytes.data() + 4 * i, 4);
    else
      found = line.layer().out_type == CIM_I8 ? float(int8_t(bytes[i]))
                                              : float(bytes[i]);
    if (found != wanted[i])
      probe.fail(std::string(what) + ": input " +
                 std::to_string(line.test->input[i]) + " gives " +
                 std::to_string(found) + ", expected " +
                 std::to_string(wanted[i]));
  }
}

static void converter(Probe &probe) {
  Line line;
  line.block().gain = 0.5f;
  line.layer().adc_lo = -4;
  line.layer().adc_hi = 3;
  // 0, 0.5, 1, 1.5, ... : ties go to even codes; a code is worth 1 / 0.5.
  expectLine(probe, line, "exact", "rounding to nearest even",
             {0, 0, 2, 4, 4, 4, 6, 6, 6, 6});
  line.layer().adc_rounding = CIM_FLOOR;
  expectLine(probe, line, "exact", "rounding down",
             {0, 0, 2, 2, 4, 4, 6, 6, 6, 6});
  for (int8_t &q : line.test->input)
    q = int8_t(-q);
  expectLine(probe, line, "exact", "rounding down below zero",
             {0, -2, -2, -4, -4, -6, -6, -8, -8, -8});
  line.layer().adc_rounding = CIM_NEAREST_EVEN;
  expectLine(probe, line, "exact", "rounding to nearest even below zero",
             {0, 0, -2, -4, -4, -4, -6, -8, -8, -8});
  expectLine(probe, line, "ideal", "without converter",
             {0, -1, -2, -3, -4, -5, -6, -7, -8, -9});
}

static void epilogue(Probe &probe) {
  const char *mode = nullptr;
  for (const char *candidate : modesOf(probe, false))
    mode = candidate;
  if (!mode)
    return;
  Line line; // gain 1 and a wide ADC: ideal and exact are the same
  line.test->scale[0] = 0.5f;
  line.test->bias[0] = -1;
  expectLine(probe, line, mode, "scale and bias",
             {-1, -0.5f, 0, 0.5f, 1, 1.5f, 2, 2.5f, 3, 3.5f});
  line.layer().lo = 0;
  line.layer().hi = 3;
  expectLine(probe, line, mode, "lo and hi",
             {0, 0, 0, 0.5f, 1, 1.5f, 2, 2.5f, 3, 3});
  line.layer().lo = -128;
  line.layer().out_type = CIM_I8;
  expectLine(probe, line, mode, "i8, rounded to nearest even",
             {-1, 0, 0, 0, 1, 2, 2, 2, 3, 3});
  line.layer().out_rounding = CIM_FLOOR;
  expectLine(probe, line, mode, "i8, rounded down",
             {-1, -1, 0, 0, 1, 1, 2, 2, 3, 3});
  line.layer().lo = 0;
  line.layer().out_type = CIM_U8;
  line.test->scale[0] = 1000;
  line.layer().hi = 255;
  expectLine(probe, line, mode, "u8, clamped",
             {0, 255, 255, 255, 255, 255, 255, 255, 255, 255});
}

/// Unsigned inputs above 63, and signed ones below 0.
static void inputTypes(Probe &probe) {
  for (const char *mode : modesOf(probe, false)) {
    Line line;
    line.layer().in_type = CIM_U8;
    line.test->input[9] = 127;
    expectLine(probe, line, mode, "u8 input", {0, 1, 2, 3, 4, 5, 6, 7, 8, 127});
    line.layer().in_type = CIM_I8;
    line.test->input[9] = -64;
    expectLine(probe, line, mode, "i8 input", {0, 1, 2, 3, 4, 5, 6, 7, 8, -64});
  }
}

/// A 3-wide window over a row of 10, with padding, stride and dilation.
static void windows(Probe &probe) {
  for (const char *mode : modesOf(probe, false)) {
    std::mt19937 random(1);
    Line line;
    line.test = matrixLayer(random, 3, 1, 1);
    TestLayer &t = *line.test;
    cim_layer &l = t.layer;
    l.in_type = CIM_I8;
    l.in_w = 10;
    l.in_c = 1;
    l.kernel_w = 3;
    l.dilation_w = 2;
    l.stride_w = 3;
    l.pad_left = 2;
    l.out_w = 4;
    t.input = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    for (uint32_t k = 0; k < 3; ++k) // weights 1, 0, -1
      t.arrays[0].cells[(t.blocks[0].row + k) * t.arrays[0].columns +
                        t.blocks[0].column] = int8_t(1 - int(k));
    // Windows begin at -2, 1, 4, 7; the last ends at 11, outside.
    expectLine(probe, line, mode, "windows", {-3, -4, -4, 8});
  }
}

static void randomLayers(Probe &probe) {
  std::mt19937 random(probe.settings.seed);
  std::vector<const char *> modes = modesOf(probe, false);
  unsigned tried = 0;
  for (unsigned i = 0; i < probe.settings.layers && !modes.empty(); ++i) {
    auto layer = randomLayer(random, {8, 24, 6});
    for (const char *mode : modes) {
      ChipOptions options;
      options.mode = mode;
      Chip chip(probe, options);
      if (!probe.ok())
        return;
      if (!fits(chip.info(), *layer))
        continue;
      ++tried;
      if (!chip.load(*layer))
        return;
      if (chip.run(*layer) != expectedOutput(*layer, mode[0] == 'i'))
        probe.fail(std::string(mode) + ", layer " + std::to_string(i) + " (" +
                   describe(*layer) + "): another result than Numerics.md");
    }
  }
  if (!tried)
    probe.skip("no layer fits the device");
  probe.note(std::to_string(tried) + " runs");
}

const Checks &cim::check::numberChecks() {
  static const Checks checks = {
      {"numbers/converter", converter},        {"numbers/epilogue", epilogue},
      {"numbers/input-types", inputTypes},     {"numbers/windows", windows},
      {"numbers/random-layers", randomLayers},
  };
  return checks;
}
