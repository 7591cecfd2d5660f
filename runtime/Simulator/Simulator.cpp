// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The simulator behind the device interface (hal.h): checks every call, and
// hands prepared layers to the kernels.

#include "Session/DeviceLibrary.h"
#include "Simulator/MergePlanes.h"
#include "Simulator/Pack.h"
#include "Simulator/Plan.h"
#include "Simulator/Scalar.h"
#include "Support/Error.h"
#include "Support/Sized.h"
#include "cim-c/runtime.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

using namespace cim;
using namespace cim::sim;
using rt::fail;
using rt::guarded;

namespace {
/// A prepared layer: as a plan, or packed for vector kernels.
struct Prepared {
  cim_layer layer = {};
  Plan plan;
  std::unique_ptr<Packed> packed;
};
} // namespace

struct cim_device {
  Chip chip;
  std::vector<std::unique_ptr<Prepared>> layers; // by id
};

static const char *nameOf(Mode mode) {
  return mode == Mode::Ideal   ? "simulator (ideal)"
         : mode == Mode::Exact ? "simulator (exact)"
                               : "simulator (analog)";
}

static cim_status parseMode(const char *name, Mode &mode) {
  std::string_view text = name ? name : "exact";
  if (text == "ideal")
    mode = Mode::Ideal;
  else if (text == "exact")
    mode = Mode::Exact;
  else if (text == "analog")
    mode = Mode::Analog;
  else
    return fail(CIM_UNSUPPORTED,
                "unknown mode '%s', expected ideal, exact or analog", name);
  return CIM_OK;
}

static cim_status setAge(double age, Config &config) {
  if (!(age >= 0 && age <= 1e15))
    return fail(CIM_INVALID_ARGUMENT, "create: age is %g s, expected 0 .. 1e15",
                age);
  if (age > 0)
    config.effects.cells.age = float(age);
  return CIM_OK;
}

static cim_status makeDevice(const cim_device_config &config,
                             std::unique_ptr<cim_device> &device) {
  auto made = std::make_unique<cim_device>();
  if (cim_status status = parseMode(config.mode, made->chip.mode))
    return status;
  if (cim_status status = parseConfig(config.target, made->chip.config))
    return status;
  if (cim_status status = setAge(config.age, made->chip.config))
    return status;
  if (cim_status status = chooseIsa(made->chip.isa))
    return status;
  made->chip.key = {uint32_t(config.seed),
                    uint32_t(config.seed >> 32) ^ config.trial * 0x9E3779B9u,
                    made->chip.config.effects.philoxRounds};
  device = std::move(made);
  return CIM_OK;
}

static cim_status create(const cim_device_config *config, cim_device **device) {
  if (!device)
    return fail(CIM_INVALID_ARGUMENT, "create: device is null");
  *device = nullptr;
  cim_device_config known;
  if (cim_status status = rt::readSized("create: config", config,
                                        CIM_DEVICE_CONFIG_SIZE_1, known))
    return status;
  return guarded([&]() -> cim_status {
    std::unique_ptr<cim_device> made;
    if (cim_status status = makeDevice(known, made))
      return status;
    *device = made.release();
    return CIM_OK;
  });
}

static void destroy(cim_device *device) { delete device; }

static cim_status query(cim_device *device, cim_device_info *info) {
  if (!device)
    return fail(CIM_INVALID_ARGUMENT, "query: device is null");
  const Config &config = device->chip.config;
  cim_device_info full = {};
  full.name = nameOf(device->chip.mode);
  full.array_rows = config.array.rows;
  full.array_columns = config.array.columns;
  full.cell_lo = config.cellLo;
  full.cell_hi = config.cellHi;
  full.input_bits = config.inputBits;
  return rt::writeSized("query: info", full, CIM_DEVICE_INFO_SIZE_1, info);
}

// Of one array; far beyond any chip.
static constexpr uint64_t maxCells = uint64_t(1) << 31;
static constexpr uint32_t maxArrays = 1u << 20;

static cim_status checkCells(const Config &config, uint32_t rows,
                             uint32_t columns, const int8_t *cells) {
  if (!rows || !columns || (config.array.rows && rows > config.array.rows) ||
      (config.array.columns && columns > config.array.columns))
    return fail(CIM_INVALID_ARGUMENT,
                "%u x %u cells do not fit an array of %u x %u", rows, columns,
                config.array.rows, config.array.columns);
  if (uint64_t(rows) * columns > maxCells)
    return fail(CIM_UNSUPPORTED,
                "%u x %u cells, the simulator takes 2^31 per array", rows,
                columns);
  uint64_t count = uint64_t(rows) * columns;
  int8_t lo = int8_t(config.cellLo), hi = int8_t(config.cellHi);
  int8_t outside = 0; // looked for first, because that is fast
  for (uint64_t i = 0; i < count; ++i)
    outside |= int8_t((cells[i] < lo) | (cells[i] > hi));
  for (uint64_t i = 0; outside && i < count; ++i)
    if (cells[i] < config.cellLo || cells[i] > config.cellHi)
      return fail(
          CIM_INVALID_ARGUMENT, "cell (%llu, %llu) is %d, cells hold %d .. %d",
          (unsigned long long)(i / columns), (unsigned long long)(i % columns),
          cells[i], config.cellLo, config.cellHi);
  return CIM_OK;
}

static cim_status program(cim_device *device, uint32_t array, uint32_t rows,
                          uint32_t columns, const int8_t *cells) {
  if (!device || !cells)
    return fail(CIM_INVALID_ARGUMENT, "program: %s is null",
                device ? "cells" : "device");
  if (array >= maxArrays)
    return fail(CIM_UNSUPPORTED, "array %u, the simulator has %u", array,
                maxArrays);
  if (!device->layers.empty())
    return fail(CIM_WRONG_STATE, "program: a layer has been prepared already");
  if (cim_status status = checkCells(device->chip.config, rows, columns, cells))
    return status;
  return guarded([&] {
    std::vector<Array> &arrays = device->chip.arrays;
    if (arrays.size() <= array)
      arrays.resize(array + 1);
    arrays[array] = {rows, columns, {cells, cells + uint64_t(rows) * columns}};
    return CIM_OK;
  });
}

static cim_status prepareLayer(cim_device &device, const cim_layer &layer) {
  std::vector<rt::ArrayShape> shapes;
  for (const Array &array : device.chip.arrays)
    shapes.push_back({array.rows, array.columns});
  std::string problem = rt::checkLayer(layer, shapes);
  if (!problem.empty())
    return fail(CIM_INVALID_ARGUMENT, problem);
  auto prepared = std::make_unique<Prepared>();
  prepared->layer = layer;
  problem = makePlan(device.chip, prepared->layer, prepared->plan);
  if (!problem.empty())
    return fail(CIM_UNSUPPORTED, problem);
  mergePlanes(prepared->plan, device.chip.config);
  if (canPack(prepared->plan, device.chip.config, device.chip.isa)) {
    prepared->packed = pack(prepared->plan, device.chip.config, device.chip.isa,
                            device.chip.key);
    prepared->plan.blocks = {};
  }
  if (device.layers.size() <= layer.id)
    device.layers.resize(layer.id + 1);
  device.layers[layer.id] = std::move(prepared);
  return CIM_OK;
}

static cim_status prepare(cim_device *device, const cim_layer *layer) {
  if (!device)
    return fail(CIM_INVALID_ARGUMENT, "prepare: device is null");
  cim_layer known;
  if (cim_status status =
          rt::readSized("prepare: layer", layer, CIM_LAYER_SIZE_1, known))
    return status;
  return guarded([&] { return prepareLayer(*device, known); });
}

/// Inputs beyond what the DAC can make would be another network.
static cim_status checkInputs(const Config &config, const cim_layer &layer,
                              const void *input, uint64_t count) {
  int32_t least = 0, most = 0;
  auto *i8 = static_cast<const int8_t *>(input);
  auto *u8 = static_cast<const uint8_t *>(input);
  for (uint64_t i = 0; i < count; ++i) {
    int32_t q = layer.in_type == CIM_I8 ? i8[i] : u8[i];
    least = std::min(least, q);
    most = std::max(most, q);
  }
  int32_t lo = config.inputLo(layer.in_type),
          hi = config.inputHi(layer.in_type);
  if (least >= lo && most <= hi)
    return CIM_OK;
  return fail(CIM_INVALID_ARGUMENT,
              "layer %s: inputs reach from %d to %d, the DAC takes %d .. %d",
              layer.name ? layer.name : "?", least, most, lo, hi);
}

static cim_status streamImages(const cim_device &device,
                               const cim_stream &stream) {
  const Prepared &prepared = *device.layers[stream.layer];
  const cim_layer &l = prepared.layer;
  uint64_t inputSize = uint64_t(l.in_h) * l.in_w * l.in_c;
  uint64_t outputSize =
      uint64_t(l.out_h) * l.out_w * l.out_c * rt::byteSize(l.out_type);
  const Config &config = device.chip.config;
  uint64_t count = inputSize * stream.image_count;
  if (prepared.packed) {
    uint8_t seen = runPacked(*prepared.packed, uint32_t(stream.first_image),
                             stream.image_count, stream.input, stream.output);
    return seen >> config.inputBits
               ? checkInputs(config, l, stream.input, count)
               : CIM_OK;
  }
  if (cim_status status = checkInputs(config, l, stream.input, count))
    return status;
  for (uint32_t i = 0; i < stream.image_count; ++i)
    runScalar(prepared.plan, device.chip.key, uint32_t(stream.first_image) + i,
              static_cast<const char *>(stream.input) + i * inputSize,
              static_cast<char *>(stream.output) + i * outputSize);
  return CIM_OK;
}

static cim_status stream(cim_device *device, const cim_stream *stream) {
  if (!device)
    return fail(CIM_INVALID_ARGUMENT, "stream: device is null");
  cim_stream known;
  if (cim_status status =
          rt::readSized("stream: stream", stream, CIM_STREAM_SIZE_1, known))
    return status;
  if (known.image_count && (!known.input || !known.output))
    return fail(CIM_INVALID_ARGUMENT, "stream: %s is null",
                known.input ? "output" : "input");
  if (known.layer >= device->layers.size() || !device->layers[known.layer])
    return fail(CIM_WRONG_STATE, "stream: layer %u has not been prepared",
                known.layer);
  if (known.first_image > UINT32_MAX - known.image_count)
    return fail(CIM_UNSUPPORTED,
                "stream: image %llu, the simulator numbers "
                "images with 32 bits",
                (unsigned long long)known.first_image);
  return guarded([&] { return streamImages(*device, known); });
}

static cim_status wait(cim_device *device) {
  return device ? CIM_OK : fail(CIM_INVALID_ARGUMENT, "wait: device is null");
}

static const char *lastErrorText() { return rt::lastError().c_str(); }

/// The runtime's library is a driver like any other: cim-device-check takes it.
extern "C" CIM_EXPORT const cim_device_api *
cim_device_get_api(uint32_t version) {
  return version == CIM_DEVICE_VERSION ? rt::simulatorApi() : nullptr;
}

const cim_device_api *cim::rt::simulatorApi() {
  static const cim_device_api api = {sizeof(cim_device_api),
                                     CIM_DEVICE_VERSION,
                                     create,
                                     destroy,
                                     query,
                                     program,
                                     prepare,
                                     stream,
                                     wait,
                                     lastErrorText};
  return &api;
}
