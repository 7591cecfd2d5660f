// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Null arguments, and structs of other releases ("Releases" of hal.h).

#include "Probe.h"

#include <cstring>

using namespace cim::check;
using namespace cim::test;

static void nulls(Probe &probe) {
  const cim_device_api &api = probe.api;
  auto layer = smallLayer();
  const ArrayImage &array = layer->arrays[0];
  std::vector<uint8_t> output(layer->outputBytes());
  cim_device_config config = {};
  config.size = sizeof config;
  cim_device_info info = {};
  info.size = sizeof info;
  cim_stream stream = {sizeof stream, 0, 0, layer->images, layer->input.data(),
                       output.data()};
  auto refuse = [&](cim_status status, const char *call) {
    probe.expect(CIM_INVALID_ARGUMENT, status, call);
  };
  Chip chip(probe);
  if (!chip)
    return;
  cim_device *made = nullptr;
  refuse(api.create(nullptr, &made), "create without config");
  refuse(api.create(&config, nullptr), "create without device");
  refuse(api.query(nullptr, &info), "query without device");
  refuse(api.query(chip.device, nullptr), "query without info");
  refuse(api.program(nullptr, 0, array.rows, array.columns, array.cells.data()),
         "program without device");
  refuse(api.program(chip.device, 0, array.rows, array.columns, nullptr),
         "program without cells");
  refuse(api.prepare(nullptr, &layer->layer), "prepare without device");
  refuse(api.prepare(chip.device, nullptr), "prepare without layer");
  if (!chip.load(*layer))
    return;
  refuse(api.stream(nullptr, &stream), "stream without device");
  refuse(api.stream(chip.device, nullptr), "stream without stream");
  refuse(api.wait(nullptr), "wait without device");
  stream.input = nullptr;
  refuse(api.stream(chip.device, &stream), "stream without input");
  stream.input = layer->input.data();
  stream.output = nullptr;
  refuse(api.stream(chip.device, &stream), "stream without output");
}

namespace {
/// A struct with room behind it, as a newer caller would have it.
template <typename T> struct Grown {
  T known;
  unsigned char more[64];

  explicit Grown(const T &from, int fill = 0) : known(from) {
    memset(more, fill, sizeof more);
    known.size = uint32_t(sizeof(T) + sizeof more);
  }
};

/// Calls a function with each of its structs in turn changed by `change`.
struct Calls {
  Probe &probe;
  Chip &chip;
  TestLayer &layer;

  template <typename Change> void each(cim_status wanted, Change &&change) {
    cim_device_config config = {};
    config.size = sizeof config;
    config.target = defaultTarget;
    cim_device *made = nullptr;
    change(config, CIM_DEVICE_CONFIG_SIZE_1, [&](const cim_device_config *c) {
      probe.expect(wanted, probe.api.create(c, &made), "create");
    });
    if (made)
      probe.api.destroy(made);

    layer.layer.id = nextId++;
    change(layer.layer, CIM_LAYER_SIZE_1, [&](const cim_layer *l) {
      probe.expect(wanted, probe.api.prepare(chip.device, l), "prepare");
    });

    std::vector<uint8_t> output(layer.outputBytes());
    cim_stream stream = {sizeof stream, 0, 0, layer.images, layer.input.data(),
                         output.data()};
    change(stream, CIM_STREAM_SIZE_1, [&](const cim_stream *s) {
      probe.expect(wanted, probe.api.stream(chip.device, s), "stream");
      probe.works(probe.api.wait(chip.device), "wait");
    });
  }

  uint32_t nextId = 1; // 0 is prepared
};
} // namespace

template <typename Change>
static void checkSizes(Probe &probe, cim_status wanted, Change &&change) {
  auto layer = smallLayer();
  auto first = smallLayer();
  Chip chip(probe);
  if (chip && chip.load(*first))
    Calls{probe, chip, *layer}.each(wanted, change);
}

static void tooSmall(Probe &probe) {
  for (int less : {1, 1000})
    checkSizes(probe, CIM_INVALID_ARGUMENT,
               [&](auto value, size_t first, auto &&call) {
                 value.size = less == 1 ? uint32_t(first - 1) : 0;
                 call(&value);
               });
  Chip chip(probe);
  if (!chip)
    return;
  for (uint32_t size : {0u, uint32_t(CIM_DEVICE_INFO_SIZE_1 - 1)}) {
    cim_device_info info = {};
    info.size = size;
    probe.expect(CIM_INVALID_ARGUMENT, probe.api.query(chip.device, &info),
                 "query with " + std::to_string(size) + " bytes");
  }
}

/// What lies behind a struct of the first release is not read, or written.
static void firstRelease(Probe &probe) {
  checkSizes(probe, CIM_OK, [](auto value, size_t first, auto &&call) {
    Grown grown(value, 0xA5);
    grown.known.size = uint32_t(first);
    memset(reinterpret_cast<char *>(&grown) + first, 0xA5,
           sizeof grown - first);
    call(&grown.known);
  });
  Chip chip(probe);
  if (!chip)
    return;
  Grown<cim_device_info> info({}, 0xA5);
  info.known.size = CIM_DEVICE_INFO_SIZE_1;
  probe.works(probe.api.query(chip.device, &info.known), "query");
  for (unsigned char byte : info.more)
    if (byte != 0xA5)
      probe.fail("query writes behind the caller's struct");
}

static void laterRelease(Probe &probe) {
  checkSizes(probe, CIM_OK, [](auto value, size_t, auto &&call) {
    Grown grown(value);
    call(&grown.known);
  });
  Chip chip(probe);
  if (!chip)
    return;
  Grown<cim_device_info> info({}, 0xA5);
  probe.works(probe.api.query(chip.device, &info.known), "query");
  if (info.known.size != sizeof info.known + sizeof info.more)
    probe.fail("query changes info.size");
}

static void unknownMembers(Probe &probe) {
  checkSizes(probe, CIM_UNSUPPORTED, [](auto value, size_t, auto &&call) {
    Grown grown(value);
    grown.more[sizeof grown.more - 1] = 1;
    call(&grown.known);
  });
}

const Checks &cim::check::argumentChecks() {
  static const Checks checks = {
      {"arguments/null", nulls},
      {"arguments/struct-too-small", tooSmall},
      {"arguments/struct-of-first-release", firstRelease},
      {"arguments/struct-of-later-release", laterRelease},
      {"arguments/unknown-members", unknownMembers},
  };
  return checks;
}
