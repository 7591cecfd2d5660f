// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values outside of what hal.h allows: each is refused, and leaves the device
// as it was.

#include "Probe.h"

#include <algorithm>
#include <functional>
#include <limits>

using namespace cim::check;
using namespace cim::test;

static constexpr uint32_t huge = UINT32_MAX;
static constexpr float infinity = std::numeric_limits<float>::infinity();
static constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();

namespace {
/// A good layer with one thing wrong.
struct Fault {
  const char *what;
  std::function<void(TestLayer &)> spoil;
};
} // namespace

/// Prepares every spoilt layer, and in the end a good one under the same id.
static void refuseAll(Probe &probe, const std::vector<Fault> &faults) {
  Chip chip(probe);
  auto good = smallLayer();
  if (!chip || !chip.program(*good))
    return;
  for (const Fault &fault : faults) {
    auto bad = smallLayer();
    fault.spoil(*bad);
    probe.expect(CIM_INVALID_ARGUMENT,
                 probe.api.prepare(chip.device, &bad->layer),
                 std::string("prepare with ") + fault.what);
  }
  if (probe.ok() && chip.prepare(*good))
    chip.run(*good);
}

#define WITH(text, statement) {text, [](TestLayer &t) { statement; }}

static void blockOutside(Probe &probe) {
  refuseAll(
      probe,
      {
          WITH("block.array = 1, not programmed", t.blocks[0].array = 1),
          WITH("block.array = 2^32-1", t.blocks[0].array = huge),
          WITH("block.row one too far",
               t.blocks[0].row = t.arrays[0].rows - t.blocks[0].k_count + 1),
          WITH("block.row = 2^32-1", t.blocks[0].row = huge),
          WITH("block.column one too far",
               t.blocks[0].column =
                   t.arrays[0].columns - t.blocks[0].n_count + 1),
          WITH("block.column = 2^32-1", t.blocks[0].column = huge),
          WITH("block.plane = plane_count", t.blocks[0].plane = 1),
          WITH("block.plane = 2^32-1", t.blocks[0].plane = huge),
          WITH("block.k one too far", t.blocks[0].k = 1),
          WITH("block.k = 2^32-1", t.blocks[0].k = huge),
          WITH("block.k_count = 0", t.blocks[0].k_count = 0),
          WITH("block.k_count = 2^32-1", t.blocks[0].k_count = huge),
          WITH("block.n one too far", t.blocks[0].n = 1),
          WITH("block.n = 2^32-1", t.blocks[0].n = huge),
          WITH("block.n_count = 0", t.blocks[0].n_count = 0),
          WITH("block.n_count = 2^32-1", t.blocks[0].n_count = huge),
          WITH("block.repeat = 0", t.blocks[0].repeat = 0),
          WITH("block.repeat beyond the array", t.blocks[0].repeat = 2),
          // (k_count * repeat) mod 2^32 would fit.
          WITH("block.repeat = 2^31", t.blocks[0].repeat = 1u << 31),
          WITH("the second block outside", (t.blocks.push_back(t.blocks[0]),
                                            t.blocks[1].n = 1, t.finish())),
      });
}

static void badGeometry(Probe &probe) {
  refuseAll(probe, {
    WITH("in_h = 0", t.layer.in_h = 0), WITH("in_w = 0", t.layer.in_w = 0),
        WITH("in_c = 0", t.layer.in_c = 0),
        WITH("out_h = 0", t.layer.out_h = 0),
        WITH("out_w = 0", t.layer.out_w = 0),
        WITH("out_c = 0", t.layer.out_c = 0),
        WITH("kernel_h = 0", t.layer.kernel_h = 0),
        WITH("kernel_w = 0", t.layer.kernel_w = 0),
        WITH("stride_h = 0", t.layer.stride_h = 0),
        WITH("stride_w = 0", t.layer.stride_w = 0),
        WITH("dilation_h = 0", t.layer.dilation_h = 0),
        WITH("dilation_w = 0", t.layer.dilation_w = 0),
        WITH("groups = 0", t.layer.groups = 0),
        WITH("plane_count = 0", t.layer.plane_count = 0),
        WITH("groups that do not divide out_c", t.layer.groups = 2),
        WITH("groups that do not divide in_c", t.layer.groups = 5),
        WITH("an input map of 2^32 elements", t.layer.in_h = 1u << 20;
             t.layer.in_w = 1u << 12),
        WITH("an output map of 2^32 elements", t.layer.out_h = 1u << 20;
             t.layer.out_w = 1u << 12),
        WITH("every dimension 2^32-1",
             t.layer.in_h = t.layer.in_w = t.layer.out_h = t.layer.out_w =
                 t.layer.stride_h = t.layer.stride_w = t.layer.dilation_h =
                     t.layer.kernel_h = huge),
  });
}

static void badTables(Probe &probe) {
  refuseAll(
      probe,
      {
          WITH("blocks = null", t.layer.blocks = nullptr),
          WITH("block_count = 0", t.layer.block_count = 0),
          WITH("significance = null", t.layer.significance = nullptr),
          WITH("scale = null", t.layer.scale = nullptr),
          WITH("bias = null", t.layer.bias = nullptr),
          WITH("a scale that is NaN", t.scale[4] = notANumber),
          WITH("a bias that is infinite", t.bias[4] = infinity),
          WITH("a significance that is NaN", t.significance[4] = notANumber),
          WITH("a gain of 0", t.blocks[0].gain = 0),
          WITH("a negative gain", t.blocks[0].gain = -1),
          WITH("a gain that is infinite", t.blocks[0].gain = infinity),
          WITH("a gain that is NaN", t.blocks[0].gain = notANumber),
          WITH("adc_lo = adc_hi", t.layer.adc_lo = t.layer.adc_hi),
          WITH("adc_hi = 2^31-1", t.layer.adc_hi = INT32_MAX),
          WITH("adc_lo = -2^31", t.layer.adc_lo = INT32_MIN),
          WITH("lo above hi", (t.layer.lo = 1, t.layer.hi = 0)),
          WITH("lo that is NaN", t.layer.lo = notANumber),
          WITH("hi that is NaN", t.layer.hi = notANumber),
          WITH("an infinite range of an i8 output", t.layer.out_type = CIM_I8),
          WITH("a range that does not fit u8",
               (t.layer.out_type = CIM_U8, t.layer.lo = -1, t.layer.hi = 9)),
          WITH("a bound of i8 that is no integer",
               (t.layer.out_type = CIM_I8, t.layer.lo = -1.5f, t.layer.hi = 9)),
          WITH("in_type = f32", t.layer.in_type = CIM_F32),
          WITH("out_type = i32", t.layer.out_type = CIM_I32),
          WITH("an unknown in_type", t.layer.in_type = cim_type(99)),
          WITH("an unknown adc_rounding",
               t.layer.adc_rounding = cim_rounding(7)),
          WITH("an unknown out_rounding",
               t.layer.out_rounding = cim_rounding(7)),
          WITH("a mid-rise out_rounding", t.layer.out_rounding = CIM_MID_RISE),
      });
}

static void arraySize(Probe &probe) {
  Chip chip(probe);
  if (!chip)
    return;
  cim_device_info info = chip.info();
  std::vector<int8_t> cells(64);
  auto refuse = [&](uint32_t rows, uint32_t columns, const int8_t *image) {
    probe.expect(CIM_INVALID_ARGUMENT,
                 probe.api.program(chip.device, 0, rows, columns, image),
                 "program of " + std::to_string(rows) + " x " +
                     std::to_string(columns) + " cells");
  };
  refuse(0, 8, cells.data());
  refuse(8, 0, cells.data());
  // Where the device has limits, it must not read beyond them.
  if (info.array_rows && info.array_columns) {
    std::vector<int8_t> tall(size_t(info.array_rows) + 1);
    refuse(info.array_rows + 1, 1, tall.data());
    std::vector<int8_t> wide(size_t(info.array_columns) + 1);
    refuse(1, info.array_columns + 1, wide.data());
    refuse(huge, huge, cells.data());
  }
  if (info.array_count)
    probe.expect(
        CIM_INVALID_ARGUMENT,
        probe.api.program(chip.device, info.array_count, 1, 1, cells.data()),
        "program of array " + std::to_string(info.array_count));
}

static void cellLevels(Probe &probe) {
  Chip chip(probe);
  if (!chip)
    return;
  cim_device_info info = chip.info();
  std::vector<int8_t> cells(64);
  for (int level : {info.cell_lo - 1, info.cell_hi + 1}) {
    if (level < -128 || level > 127)
      continue;
    cells.back() = int8_t(level);
    probe.expect(CIM_INVALID_ARGUMENT,
                 probe.api.program(chip.device, 0, 8, 8, cells.data()),
                 "program of a cell of level " + std::to_string(level));
  }
  cells.back() = int8_t(info.cell_hi);
  cells.front() = int8_t(info.cell_lo);
  probe.works(probe.api.program(chip.device, 0, 8, 8, cells.data()),
              "program of the lowest and highest level");
}

/// Every input that the DAC takes is taken, the next ones are refused, in
/// whatever image and place they are.
static void dacRange(Probe &probe) {
  Chip chip(probe);
  if (!chip)
    return;
  uint32_t bits = chip.info().input_bits;
  if (bits < 1 || bits > 8) {
    probe.fail("query: input_bits is " + std::to_string(bits) +
               ", expected 1 .. 8");
    return;
  }
  auto i8 = smallLayer(), u8 = smallLayer();
  i8->layer.in_type = CIM_I8;
  u8->layer.in_type = CIM_U8;
  u8->layer.id = 1;
  if (!chip.load(*i8) || !chip.prepare(*u8))
    return;
  for (TestLayer *layer : {i8.get(), u8.get()}) {
    bool isSigned = layer->layer.in_type == CIM_I8;
    int lo = isSigned ? -(1 << (bits - 1)) : 0, hi = lo + (1 << bits) - 1;
    std::fill(layer->input.begin(), layer->input.end(), 0);
    for (int value : {lo - 1, lo, hi, hi + 1}) {
      if (value < (isSigned ? -128 : 0) || value > (isSigned ? 127 : 255))
        continue;
      for (size_t at : {size_t(0), layer->input.size() - 1}) {
        layer->input[at] = int8_t(value);
        std::vector<uint8_t> output(layer->outputBytes());
        cim_stream stream = {sizeof stream, layer->layer.id,     0,
                             layer->images, layer->input.data(), output.data()};
        cim_status status = probe.api.stream(chip.device, &stream);
        cim_status waited = probe.api.wait(chip.device);
        probe.expect(value < lo || value > hi ? CIM_INVALID_ARGUMENT : CIM_OK,
                     status ? status : waited,
                     "stream of input " + std::to_string(value) + " at " +
                         std::to_string(at));
        layer->input[at] = 0;
      }
    }
  }
}

static void age(Probe &probe) {
  for (double seconds :
       {-1.0, -double(infinity), double(infinity), double(notANumber)}) {
    cim_device_config config = {};
    config.size = sizeof config;
    config.target = defaultTarget;
    config.age = seconds;
    cim_device *device = nullptr;
    probe.expect(CIM_INVALID_ARGUMENT, probe.api.create(&config, &device),
                 "create with an age of " + std::to_string(seconds));
  }
}

/// After every kind of failure the device computes what it did before.
static void failuresChangeNothing(Probe &probe) {
  auto layer = smallLayer();
  Chip chip(probe);
  if (!chip || !chip.load(*layer))
    return;
  cim_device_config config = {};
  std::vector<uint8_t> before = chip.run(*layer);
  auto other = smallLayer(2);
  other->blocks[0].row = huge;
  other->layer.id = 0;
  cim_device *none = nullptr;
  std::vector<uint8_t> scrap(layer->outputBytes());
  std::vector<int8_t> loud(layer->input.size(), int8_t(-128));
  cim_stream bad = {sizeof bad, 0, 0, layer->images, loud.data(), scrap.data()};
  const cim_device_api &api = probe.api;
  std::vector<int8_t> zeros(layer->arrays[0].cells.size());
  cim_status statuses[] = {
      api.create(&config, &none),
      api.program(chip.device, 0, layer->arrays[0].rows,
                  layer->arrays[0].columns, zeros.data()),
      api.prepare(chip.device, &other->layer),
      api.stream(chip.device, nullptr),
      (bad.layer = huge, api.stream(chip.device, &bad)),
      (bad.layer = 0, api.stream(chip.device, &bad)),
  };
  (void)statuses; // whether they are errors is the business of other checks
  api.wait(chip.device);
  if (chip.run(*layer) != before)
    probe.fail("calls that failed changed what the device computes");
}

const Checks &cim::check::rangeChecks() {
  static const Checks checks = {
      {"ranges/block-outside", blockOutside},
      {"ranges/bad-geometry", badGeometry},
      {"ranges/bad-tables", badTables},
      {"ranges/array-size", arraySize},
      {"ranges/cell-levels", cellLevels},
      {"ranges/dac", dacRange},
      {"ranges/age", age},
      {"ranges/failures-change-nothing", failuresChangeNothing},
  };
  return checks;
}
