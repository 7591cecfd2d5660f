// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Streams: what they may touch, that they repeat, that they do not disturb each
// other.

#include "Probe.h"

#include <algorithm>
#include <cstring>
#include <thread>

using namespace cim::check;
using namespace cim::test;

/// Effects for a device that has a mode `analog`: drawn per read and per chip.
static const char *const noisyTarget =
    R"({"array": {"rows": 1024, "columns": 512, "cell_lo": -1, "cell_hi": 1},)"
    R"( "input": {"bits": 7},)"
    R"( "noise": {"read": 0.1, "static": 0.1, "adc_noise": 0.5}})";

static ChipOptions optionsFor(const char *mode) {
  ChipOptions options;
  options.mode = mode;
  options.target = noisyTarget;
  options.seed = 11;
  return options;
}

/// Convolutions and products, with ids 0, 1, ... and arrays of one chip.
static std::vector<std::unique_ptr<TestLayer>> someLayers() {
  std::vector<std::unique_ptr<TestLayer>> layers;
  std::mt19937 random(3);
  uint32_t arrays = 0;
  for (uint32_t id = 0; id < 4; ++id) {
    auto layer = randomLayer(random, {6, 12, 6});
    layer->layer.id = id;
    for (cim_block &block : layer->blocks)
      block.array += arrays;
    arrays += uint32_t(layer->arrays.size());
    layer->finish();
    layers.push_back(std::move(layer));
  }
  return layers;
}

static bool loadAll(Probe &probe, Chip &chip,
                    const std::vector<std::unique_ptr<TestLayer>> &layers) {
  uint32_t index = 0;
  for (const auto &layer : layers)
    for (const ArrayImage &array : layer->arrays)
      if (!probe.works(probe.api.program(chip.device, index++, array.rows,
                                         array.columns, array.cells.data()),
                       "program"))
        return false;
  for (const auto &layer : layers)
    if (!chip.prepare(*layer))
      return false;
  return true;
}

static void noImages(Probe &probe) {
  auto layer = smallLayer();
  Chip chip(probe);
  if (!chip || !chip.load(*layer))
    return;
  cim_stream stream = {sizeof stream, 0, 5, 0, nullptr, nullptr};
  probe.works(probe.api.stream(chip.device, &stream), "stream of no images");
  probe.works(probe.api.wait(chip.device), "wait");
}

/// Nothing around the output is written, and the input is only read.
static void bounds(Probe &probe) {
  constexpr size_t guard = 256;
  auto layers = someLayers();
  Chip chip(probe);
  if (!chip || !loadAll(probe, chip, layers))
    return;
  for (const auto &layer : layers)
    for (uint8_t fill : {0x00, 0x5A}) {
      std::vector<int8_t> input = layer->input;
      std::vector<uint8_t> room(layer->outputBytes() + 2 * guard, fill);
      cim_stream stream = {sizeof stream, layer->layer.id, 0,
                           layer->images, input.data(),    room.data() + guard};
      probe.works(probe.api.stream(chip.device, &stream), "stream");
      probe.works(probe.api.wait(chip.device), "wait");
      if (input != layer->input)
        probe.fail("stream writes its input");
      for (size_t i = 0; i < guard; ++i)
        if (room[i] != fill || room[room.size() - 1 - i] != fill)
          probe.fail("stream writes outside of its output");
    }
}

/// The same chip, made again, gives the same bits, however images are cut into
/// calls and whatever ran before.
static void repeats(Probe &probe) {
  for (const char *mode : modesOf(probe, true)) {
    auto layers = someLayers();
    Chip first(probe, optionsFor(mode)), second(probe, optionsFor(mode));
    if (!first || !second || !loadAll(probe, first, layers) ||
        !loadAll(probe, second, layers))
      return;
    for (const auto &layer : layers) {
      std::vector<uint8_t> whole = first.run(*layer), cut;
      if (first.run(*layer) != whole)
        probe.fail(std::string(mode) + ": a second run differs");
      for (uint32_t image = 0; image < layer->images; ++image) {
        std::vector<uint8_t> one = second.run(*layer, image, 1);
        cut.insert(cut.end(), one.begin(), one.end());
      }
      if (cut != whole)
        probe.fail(std::string(mode) +
                   ": images one by one differ from all at once");
    }
  }
}

/// Threads stream different layers at once; some of their calls fail.
static void threads(Probe &probe) {
  for (const char *mode : modesOf(probe, true)) {
    auto layers = someLayers();
    Chip chip(probe, optionsFor(mode));
    if (!chip || !loadAll(probe, chip, layers))
      return;
    std::vector<std::vector<uint8_t>> expected;
    for (const auto &layer : layers)
      expected.push_back(chip.run(*layer));
    constexpr int count = 8, rounds = 20;
    std::vector<std::string> errors(count);
    std::vector<std::thread> running;
    for (int t = 0; t < count; ++t)
      running.emplace_back([&, t] {
        for (int round = 0; round < rounds; ++round) {
          const auto &layer = layers[(t + round) % layers.size()];
          std::vector<uint8_t> output(layer->outputBytes());
          cim_stream stream = {
              sizeof stream, layer->layer.id,     0,
              layer->images, layer->input.data(), output.data()};
          cim_stream bad = stream;
          bad.layer = 1000 + t;
          if (probe.api.stream(chip.device, &bad) == CIM_OK)
            errors[t] = "stream of a layer that is not there works";
          if (probe.api.stream(chip.device, &stream) != CIM_OK ||
              probe.api.wait(chip.device) != CIM_OK)
            errors[t] = probe.api.last_error();
          else if (output != expected[(t + round) % layers.size()])
            errors[t] = "outputs differ from those of one thread";
        }
      });
    for (std::thread &thread : running)
      thread.join();
    for (const std::string &error : errors)
      if (!error.empty())
        probe.fail(std::string(mode) + ": " + error);
  }
}

/// Two chips with other cells and other layers under the same numbers.
static void independence(Probe &probe) {
  for (const char *mode : modesOf(probe, false)) {
    auto mine = smallLayer(1), yours = smallLayer(2);
    ChipOptions options;
    options.mode = mode;
    bool ideal = mode[0] == 'i';
    Chip one(probe, options), two(probe, options);
    if (!one || !two || !one.program(*mine) || !two.program(*yours) ||
        !one.prepare(*mine) || !two.prepare(*yours))
      return;
    if (one.run(*mine) != expectedOutput(*mine, ideal) ||
        two.run(*yours) != expectedOutput(*yours, ideal))
      probe.fail(std::string(mode) + ": a second device changes the first");
    two.destroy();
    if (one.run(*mine) != expectedOutput(*mine, ideal))
      probe.fail(std::string(mode) + ": destroying a device changes another");
  }
}

/// Noise is that of the seed, the chip and the image.
static void seeds(Probe &probe) {
  ChipOptions options = optionsFor("analog");
  auto layer = smallLayer();
  std::copy_n(layer->input.begin(), layer->layer.in_c,
              layer->input.begin() + layer->layer.in_c); // image 1 = image 0
  std::vector<std::vector<uint8_t>> outputs;
  for (int i = 0; i < 3; ++i) {
    options.seed = i == 1 ? uint64_t(1) << 40 : 0;
    options.trial = i == 2;
    Chip chip(probe, options);
    if (!chip) {
      probe.skip("the device has no mode analog");
      return;
    }
    if (!chip.load(*layer))
      return;
    outputs.push_back(chip.run(*layer));
  }
  if (outputs[0] == outputs[1])
    probe.fail("two seeds give the same noise");
  if (outputs[0] == outputs[2])
    probe.fail("two trials give the same chip");
  size_t image = outputs[0].size() / layer->images;
  if (!memcmp(outputs[0].data(), outputs[0].data() + image, image))
    probe.fail("two images get the same noise");
}

const Checks &cim::check::streamChecks() {
  static const Checks checks = {
      {"streams/no-images", noImages},
      {"streams/bounds", bounds},
      {"streams/repeat", repeats},
      {"streams/threads", threads},
      {"streams/independent-devices", independence},
      {"streams/seeds", seeds},
  };
  return checks;
}
