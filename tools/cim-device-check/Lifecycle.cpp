// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// "Order of calls" and "Errors" of hal.h.

#include "Probe.h"

#include <thread>

using namespace cim::check;
using namespace cim::test;

static void createAndDestroy(Probe &probe) {
  for (int i = 0; i < 3; ++i) {
    Chip chip(probe);
    if (!chip)
      return;
    cim_device_info info = chip.info();
    if (!info.name || !*info.name)
      probe.fail("query: the device has no name");
    else if (info.cell_lo > info.cell_hi)
      probe.fail("query: cell_lo is above cell_hi");
  }
  probe.api.destroy(nullptr);
}

static void otherVersion(Probe &probe) {
  for (uint32_t version : {0u, CIM_DEVICE_VERSION + 1, UINT32_MAX}) {
    const cim_device_api *api = probe.driver.getApi(version);
    if (api && api->version != version)
      probe.fail("asked for version " + std::to_string(version) +
                 ", the device offers version " + std::to_string(api->version) +
                 ", expected that version or null");
  }
}

static void unknownMode(Probe &probe) {
  cim_device_config config = {};
  config.size = sizeof config;
  config.mode = "no such mode";
  auto *device = reinterpret_cast<cim_device *>(&config);
  probe.expect(CIM_UNSUPPORTED, probe.api.create(&config, &device),
               "create with an unknown mode");
  if (device)
    probe.fail("a failed create did not set *device to null");
}

static void streamBeforePrepare(Probe &probe) {
  auto layer = smallLayer();
  std::vector<uint8_t> output(layer->outputBytes());
  cim_stream stream = {sizeof stream, 0, 0, layer->images, layer->input.data(),
                       output.data()};
  Chip chip(probe);
  if (!chip)
    return;
  probe.expect(CIM_WRONG_STATE, probe.api.stream(chip.device, &stream),
               "stream before program");
  chip.program(*layer);
  probe.expect(CIM_WRONG_STATE, probe.api.stream(chip.device, &stream),
               "stream before prepare");
  chip.prepare(*layer);
  for (uint32_t id : {1u, 7u, UINT32_MAX}) {
    stream.layer = id;
    probe.expect(CIM_WRONG_STATE, probe.api.stream(chip.device, &stream),
                 "stream of layer " + std::to_string(id));
  }
}

static void prepareBeforeProgram(Probe &probe) {
  auto layer = smallLayer();
  Chip chip(probe);
  if (chip)
    probe.expect(CIM_INVALID_ARGUMENT,
                 probe.api.prepare(chip.device, &layer->layer),
                 "prepare before program");
}

static void programAfterPrepare(Probe &probe) {
  auto layer = smallLayer();
  Chip chip(probe);
  if (!chip || !chip.load(*layer))
    return;
  const ArrayImage &array = layer->arrays[0];
  std::vector<int8_t> zeros(array.cells.size());
  probe.expect(CIM_WRONG_STATE,
               probe.api.program(chip.device, 0, array.rows, array.columns,
                                 zeros.data()),
               "program after prepare");
}

/// The last layer under an id counts; one that is refused does not.
static void prepareAgain(Probe &probe) {
  for (const char *mode : modesOf(probe, false)) {
    ChipOptions options;
    options.mode = mode;
    auto first = smallLayer(), second = smallLayer(), bad = smallLayer();
    second->scale.assign(second->scale.size(), 0.5f);
    bad->blocks[0].n = UINT32_MAX;
    Chip chip(probe, options);
    if (!chip || !chip.load(*first) || !chip.prepare(*second))
      return;
    if (chip.run(*second) != expectedOutput(*second, mode[0] == 'i'))
      probe.fail("a layer that was prepared twice remains the first");
    probe.api.prepare(chip.device, &bad->layer);
    if (chip.run(*second) != expectedOutput(*second, mode[0] == 'i'))
      probe.fail("a prepare that failed changed the layer of that id");
  }
}

/// The last image of an array counts.
static void programAgain(Probe &probe) {
  for (const char *mode : modesOf(probe, false)) {
    ChipOptions options;
    options.mode = mode;
    auto layer = smallLayer(), other = smallLayer();
    for (int8_t &cell : other->arrays[0].cells)
      cell = int8_t(-cell);
    Chip chip(probe, options);
    if (!chip || !chip.program(*other) || !chip.load(*layer))
      return;
    if (chip.run(*layer) != expectedOutput(*layer, mode[0] == 'i'))
      probe.fail("an array that was programmed twice keeps older cells");
  }
}

static void waitWithoutStream(Probe &probe) {
  Chip chip(probe);
  if (chip)
    probe.works(probe.api.wait(chip.device), "wait without stream");
}

static void errorTexts(Probe &probe) {
  if (!probe.api.last_error()) {
    probe.fail("last_error is null before any failure");
    return;
  }
  if (probe.api.wait(nullptr) == CIM_OK)
    probe.fail("wait of a null device works");
  std::string mine = probe.api.last_error();
  if (mine.empty() || mine.find('\n') != mine.npos)
    probe.fail("last_error after a failure is not one line: '" + mine + "'");
  std::thread([&] {
    if (const char *text = probe.api.last_error(); !text)
      probe.fail("last_error is null in a new thread");
    else if (*text)
      probe.fail("last_error of a new thread is that of another");
    Chip chip(probe);
    if (chip)
      probe.api.stream(chip.device, nullptr); // another failure
  }).join();
  if (mine != probe.api.last_error())
    probe.fail("a failure in another thread changed last_error");
}

const Checks &cim::check::lifecycleChecks() {
  static const Checks checks = {
      {"lifecycle/create-and-destroy", createAndDestroy},
      {"lifecycle/other-version", otherVersion},
      {"lifecycle/unknown-mode", unknownMode},
      {"lifecycle/stream-before-prepare", streamBeforePrepare},
      {"lifecycle/prepare-before-program", prepareBeforeProgram},
      {"lifecycle/program-after-prepare", programAfterPrepare},
      {"lifecycle/prepare-again", prepareAgain},
      {"lifecycle/program-again", programAgain},
      {"lifecycle/wait-without-stream", waitWithoutStream},
      {"lifecycle/error-texts", errorTexts},
  };
  return checks;
}
