// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The reference device behind include/cim-c/hal.h: what every call must check
// before it may do anything.
//
// CIM_REFERENCE_MODE=ideal|exact|analog says what to compute when the caller
// does not (cim-run --device=FILE.so does not); default: exact.
// CIM_REFERENCE_CONDUCTANCE_BITS=16 keeps more of what cells conduct than the
// 8 of the page: a cross-check that these are enough.

#include "Chip.h"
#include "Columns.h"
#include "Layer.h"
#include "Record.h"

#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>

using namespace cim::reference;

struct cim_device {
  Chip chip;
  std::map<uint32_t, Layer> layers; // by id
  Recorder recorder;
};

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

static thread_local std::string message;

static cim_status fail(cim_status status, const std::string &text) {
  message = text;
  return status;
}

static cim_status isNull(const char *what) {
  return fail(CIM_INVALID_ARGUMENT, std::string(what) + " is null");
}

/// Runs `fn` and keeps what it throws (no memory) from the caller.
template <typename Fn> static cim_status guarded(Fn &&fn) {
  try {
    return fn();
  } catch (const std::exception &e) {
    return fail(CIM_OUT_OF_RESOURCES, e.what());
  }
}

/// "Releases" of hal.h: reads a struct that another release may have made.
template <typename T>
static cim_status readStruct(const char *what, const T *from, size_t least,
                             T &to) {
  if (!from)
    return isNull(what);
  if (from->size < least)
    return fail(CIM_INVALID_ARGUMENT, std::string(what) + " is too small");
  auto *bytes = reinterpret_cast<const char *>(from);
  for (size_t i = sizeof(T); i < from->size; ++i)
    if (bytes[i] != 0)
      return fail(CIM_UNSUPPORTED,
                  std::string(what) + " has a member that is unknown here");
  to = {};
  memcpy(&to, from, std::min<size_t>(from->size, sizeof(T)));
  return CIM_OK;
}

//===----------------------------------------------------------------------===//
// Making a chip
//===----------------------------------------------------------------------===//

static cim_status readMode(const char *name, Mode &mode) {
  if (!name)
    name = getenv("CIM_REFERENCE_MODE");
  std::string text = name ? name : "exact";
  if (text == "ideal")
    mode = Mode::Ideal;
  else if (text == "exact")
    mode = Mode::Exact;
  else if (text == "analog")
    mode = Mode::Analog;
  else
    return fail(CIM_UNSUPPORTED,
                "the reference device has no mode '" + text + "'");
  return CIM_OK;
}

static cim_status readConductances(int32_t &mostCodes) {
  const char *bits = getenv("CIM_REFERENCE_CONDUCTANCE_BITS");
  std::string text = bits ? bits : "8";
  if (text != "8" && text != "16")
    return fail(CIM_INVALID_ARGUMENT, "CIM_REFERENCE_CONDUCTANCE_BITS is '" +
                                          text + "', expected 8 or 16");
  mostCodes = text == "8" ? INT8_MAX : INT16_MAX;
  return CIM_OK;
}

static cim_status create(const cim_device_config *given, cim_device **device) {
  if (!device)
    return isNull("create: device");
  *device = nullptr;
  cim_device_config config;
  if (cim_status status =
          readStruct("create: config", given, CIM_DEVICE_CONFIG_SIZE_1, config))
    return status;
  return guarded([&]() -> cim_status {
    auto made = std::make_unique<cim_device>();
    if (cim_status status = readMode(config.mode, made->chip.mode))
      return status;
    if (cim_status status = readConductances(made->chip.mostCodes))
      return status;
    std::string error =
        readConfig(config.target, made->chip.mode, made->chip.config);
    if (!error.empty())
      return fail(CIM_INVALID_ARGUMENT, error);
    if (!(config.age >= 0 && config.age <= 1e15))
      return fail(CIM_INVALID_ARGUMENT, "create: age is out of range");
    if (config.age > 0)
      made->chip.config.cells.age = float(config.age);
    made->chip.seed = config.seed;
    made->chip.trial = config.trial;
    *device = made.release();
    return CIM_OK;
  });
}

static void destroy(cim_device *device) { delete device; }

static cim_status query(cim_device *device, cim_device_info *info) {
  if (!device || !info)
    return isNull(device ? "query: info" : "query: device");
  if (info->size < CIM_DEVICE_INFO_SIZE_1)
    return fail(CIM_INVALID_ARGUMENT, "query: info is too small");
  const Config &config = device->chip.config;
  cim_device_info answer = {};
  answer.size = info->size;
  answer.name = "reference";
  answer.array_rows = config.arrayRows;
  answer.array_columns = config.arrayColumns;
  answer.cell_lo = config.cellLo;
  answer.cell_hi = config.cellHi;
  answer.input_bits = config.inputBits;
  memcpy(info, &answer, std::min<size_t>(info->size, sizeof answer));
  return CIM_OK;
}

static cim_status program(cim_device *device, uint32_t index, uint32_t rows,
                          uint32_t columns, const int8_t *cells) {
  if (!device || !cells)
    return isNull(device ? "program: cells" : "program: device");
  if (!device->layers.empty())
    return fail(CIM_WRONG_STATE, "program: after the first prepare");
  const Config &config = device->chip.config;
  if (!rows || !columns || (config.arrayRows && rows > config.arrayRows) ||
      (config.arrayColumns && columns > config.arrayColumns))
    return fail(CIM_INVALID_ARGUMENT, "program: the array has another size");
  uint64_t count = uint64_t(rows) * columns;
  if (count > 1u << 31)
    return fail(CIM_UNSUPPORTED, "program: more than 2^31 cells");
  for (uint64_t i = 0; i < count; ++i)
    if (cells[i] < config.cellLo || cells[i] > config.cellHi)
      return fail(CIM_INVALID_ARGUMENT, "program: cell " + std::to_string(i) +
                                            " is " + std::to_string(cells[i]) +
                                            ", no level");
  return guarded([&] {
    Array array = {rows, columns, {cells, cells + count}};
    if (!device->recorder.array(index, array))
      return fail(CIM_OUT_OF_RESOURCES, "cannot write the recording");
    device->chip.arrays[index] = std::move(array);
    return CIM_OK;
  });
}

static cim_status prepare(cim_device *device, const cim_layer *given) {
  if (!device)
    return isNull("prepare: device");
  cim_layer layer;
  if (cim_status status =
          readStruct("prepare: layer", given, CIM_LAYER_SIZE_1, layer))
    return status;
  if (layer.id >= 1u << 16)
    return fail(CIM_UNSUPPORTED, "prepare: 65536 layers at most");
  return guarded([&] {
    std::string error = checkLayer(device->chip, layer);
    if (!error.empty())
      return fail(CIM_INVALID_ARGUMENT, "prepare: " + error);
    error = checkSums(device->chip, layer);
    if (error.empty())
      error = checkConverter(device->chip, layer);
    if (!error.empty())
      return fail(CIM_UNSUPPORTED, "prepare: " + error);
    if (!device->recorder.layer(layer))
      return fail(CIM_OUT_OF_RESOURCES, "cannot write the recording");
    device->layers[layer.id] = prepareLayer(device->chip, layer);
    return CIM_OK;
  });
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

static cim_status stream(cim_device *device, const cim_stream *given) {
  if (!device)
    return isNull("stream: device");
  cim_stream stream;
  if (cim_status status =
          readStruct("stream: stream", given, CIM_STREAM_SIZE_1, stream))
    return status;
  if (stream.image_count && (!stream.input || !stream.output))
    return isNull("stream: input or output");
  auto found = device->layers.find(stream.layer);
  if (found == device->layers.end())
    return fail(CIM_WRONG_STATE, "stream: layer " +
                                     std::to_string(stream.layer) +
                                     " has not been prepared");
  // Counters of random numbers have 32 bits for the image.
  if (stream.first_image > UINT32_MAX - stream.image_count)
    return fail(CIM_UNSUPPORTED, "stream: images above 2^32");
  return guarded([&] {
    const Layer &layer = found->second;
    std::string error = checkInputs(device->chip, layer.layer, stream);
    if (!error.empty())
      return fail(CIM_INVALID_ARGUMENT, "stream: " + error);
    runLayer(device->chip, layer, stream);
    if (!device->recorder.stream(layer.layer, stream))
      return fail(CIM_OUT_OF_RESOURCES, "cannot write the recording");
    return CIM_OK;
  });
}

/// Nothing to wait for: stream returns when it is done.
static cim_status wait(cim_device *device) {
  return device ? CIM_OK : isNull("wait: device");
}

static const char *lastError() { return message.c_str(); }

extern "C" __attribute__((visibility("default"))) const cim_device_api *
cim_device_get_api(uint32_t version) {
  static const cim_device_api api = {sizeof(cim_device_api),
                                     CIM_DEVICE_VERSION,
                                     create,
                                     destroy,
                                     query,
                                     program,
                                     prepare,
                                     stream,
                                     wait,
                                     lastError};
  return version == CIM_DEVICE_VERSION ? &api : nullptr;
}
