// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Probe.h.

#include "Probe.h"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <dlfcn.h>

using namespace cim::check;
using namespace cim::test;

const char *const cim::check::defaultTarget =
    R"({"array": {"rows": 1024, "columns": 512, "cell_lo": -1, "cell_hi": 1},)"
    R"( "input": {"bits": 7}})";

std::string cim::check::loadDriver(const std::string &path, Driver &driver) {
  char absolute[PATH_MAX];
  if (!realpath(path.c_str(), absolute))
    return path + ": cannot open";
  void *library = dlopen(absolute, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return path + ": not a device driver: " + dlerror();
  driver.getApi = reinterpret_cast<cim_device_get_api_fn>(
      dlsym(library, CIM_DEVICE_GET_API));
  if (!driver.getApi)
    return path + ": not a device driver: symbol " CIM_DEVICE_GET_API
                  " is missing";
  driver.api = driver.getApi(CIM_DEVICE_VERSION);
  if (!driver.api)
    return path + ": the driver does not serve interface version " +
           std::to_string(CIM_DEVICE_VERSION);
  const cim_device_api &api = *driver.api;
  if (api.version != CIM_DEVICE_VERSION || api.size < CIM_DEVICE_API_SIZE_1)
    return path + ": the table says version " + std::to_string(api.version) +
           " and " + std::to_string(api.size) + " bytes, expected version " +
           std::to_string(CIM_DEVICE_VERSION) + " and at least " +
           std::to_string(CIM_DEVICE_API_SIZE_1);
  if (!api.create || !api.destroy || !api.query || !api.program ||
      !api.prepare || !api.stream || !api.wait || !api.last_error)
    return path + ": the table has a null function";
  return "";
}

const char *cim::check::nameOf(cim_status status) {
  static const char *const names[] = {"CIM_OK",
                                      "CIM_INVALID_ARGUMENT",
                                      "CIM_WRONG_STATE",
                                      "CIM_BAD_FILE",
                                      "CIM_WRONG_VERSION",
                                      "CIM_UNSUPPORTED",
                                      "CIM_OUT_OF_RESOURCES",
                                      "CIM_DEVICE_ERROR"};
  return unsigned(status) < std::size(names) ? names[status]
                                             : "an unknown status";
}

//===----------------------------------------------------------------------===//
// Verdicts
//===----------------------------------------------------------------------===//

void Probe::fail(const std::string &why) {
  if (verdict == Verdict::Failed)
    return;
  verdict = Verdict::Failed;
  text = why;
}

void Probe::skip(const std::string &why) {
  if (!ok())
    return;
  verdict = Verdict::Skipped;
  text = why;
}

void Probe::note(const std::string &what) {
  if (ok())
    text = what;
}

bool Probe::expect(cim_status wanted, cim_status found,
                   const std::string &call) {
  if (found != wanted) {
    std::string said = found ? std::string(" (") + api.last_error() + ")" : "";
    fail(call + ": returned " + nameOf(found) + said + ", expected " +
         nameOf(wanted));
  } else if (found != CIM_OK && !*api.last_error()) {
    fail(call + ": returned " + nameOf(found) + " and an empty last_error");
  }
  return ok();
}

//===----------------------------------------------------------------------===//
// Chips
//===----------------------------------------------------------------------===//

Chip::Chip(Probe &probe, const cim_device_api &api, const ChipOptions &options)
    : probe(probe), api(api) {
  cim_device_config config = {};
  config.size = sizeof config;
  config.mode = options.mode;
  config.target = options.target.c_str();
  config.seed = options.seed;
  config.trial = options.trial;
  config.age = options.age;
  cim_status status = api.create(&config, &device);
  if (status == CIM_OK && !device)
    probe.fail("create: returned CIM_OK and a null device");
  else if (status != CIM_OK && !(options.mode && status == CIM_UNSUPPORTED))
    probe.works(status, "create");
}

void Chip::destroy() {
  if (device)
    api.destroy(device);
  device = nullptr;
}

cim_device_info Chip::info() const {
  cim_device_info info = {};
  info.size = sizeof info;
  probe.works(api.query(device, &info), "query");
  return info;
}

bool Chip::program(const TestLayer &layer) {
  for (uint32_t i = 0; i < layer.arrays.size(); ++i) {
    const ArrayImage &array = layer.arrays[i];
    if (!probe.works(api.program(device, i, array.rows, array.columns,
                                 array.cells.data()),
                     "program"))
      return false;
  }
  return true;
}

bool Chip::prepare(const TestLayer &layer) {
  return probe.works(api.prepare(device, &layer.layer), "prepare");
}

std::vector<uint8_t> Chip::run(const TestLayer &layer, uint32_t first,
                               uint32_t count) {
  const cim_layer &l = layer.layer;
  size_t inputSize = size_t(l.in_h) * l.in_w * l.in_c;
  std::vector<uint8_t> output(layer.outputBytes() / layer.images * count);
  cim_stream stream = {};
  stream.size = sizeof stream;
  stream.layer = l.id;
  stream.first_image = first;
  stream.image_count = count;
  stream.input = layer.input.data() + first * inputSize;
  stream.output = output.data();
  cim_status status = api.stream(device, &stream);
  if (status == CIM_OK)
    status = api.wait(device);
  probe.works(status, "stream and wait");
  return output;
}

std::vector<const char *> cim::check::modesOf(Probe &probe, bool analog) {
  std::vector<const char *> modes;
  for (const char *mode : {"ideal", "exact", "analog"}) {
    ChipOptions options;
    options.mode = mode;
    if ((analog || mode[0] != 'a') && Chip(probe, options))
      modes.push_back(mode);
  }
  if (modes.empty())
    probe.skip("the device has no mode whose results are known");
  return modes;
}

std::unique_ptr<TestLayer> cim::check::smallLayer(unsigned seed) {
  std::mt19937 random(seed);
  std::unique_ptr<TestLayer> test = matrixLayer(random, 12, 5, 3);
  test->blocks[0].gain = 0.25f;
  test->layer.adc_lo = -32;
  test->layer.adc_hi = 31;
  return test;
}

bool cim::check::fits(const cim_device_info &info, const TestLayer &layer) {
  if (info.array_count && layer.arrays.size() > info.array_count)
    return false;
  for (const ArrayImage &array : layer.arrays) {
    if ((info.array_rows && array.rows > info.array_rows) ||
        (info.array_columns && array.columns > info.array_columns))
      return false;
    auto [lo, hi] = std::minmax_element(array.cells.begin(), array.cells.end());
    if (*lo < info.cell_lo || *hi > info.cell_hi)
      return false;
  }
  return info.input_bits >= 7;
}
