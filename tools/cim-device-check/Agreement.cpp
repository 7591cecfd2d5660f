// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Two devices, the same layers, the same bits: --against=OTHER.so.

#include "Effects.h"
#include "Probe.h"

#include <cstdio>

using namespace cim::check;
using namespace cim::test;

/// Whether a device plays this effect.
static bool plays(const cim_device_api &api, const Effect &effect) {
  std::mt19937 random;
  std::string value = effect.value(random, /*absurd=*/false);
  std::string target = targetWith({{effect.section, {{effect.key, value}}}});
  cim_device_config config = {};
  config.size = sizeof config;
  config.mode = "analog";
  config.target = target.c_str();
  cim_device *device = nullptr;
  bool made = api.create(&config, &device) == CIM_OK;
  if (made)
    api.destroy(device);
  return made;
}

/// CRC-32 of all outputs: equal runs of the tool elsewhere print it too.
static uint32_t digest(uint32_t crc, const std::vector<uint8_t> &bytes) {
  for (uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit)
      crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
  }
  return crc;
}

namespace {
/// Random chips of both devices.
class Comparison {
public:
  Comparison(Probe &probe, const cim_device_api &other, const char *mode,
             std::vector<const Effect *> shared, bool absurd)
      : probe(probe), other(other), mode(mode), shared(std::move(shared)),
        absurd(absurd), random(probe.settings.seed) {}

  void run() {
    for (unsigned i = 0; i < probe.settings.layers && probe.ok(); ++i)
      compare(i);
    char text[64];
    snprintf(text, sizeof text, "%u layers, digest %08x", compared, crc);
    std::string names;
    for (const Effect *effect : shared)
      names += std::string(names.empty() ? "; effects " : " ") +
               effect->section + "." + effect->key;
    if (!compared)
      probe.skip("the devices have no such layer or mode in common");
    probe.note(text + names);
  }

private:
  /// Ternary cells as the layer has them, or others in their place.
  Levels chooseLevels(TestLayer &layer) {
    const Levels choices[] = {{-1, 1}, {-1, 1}, {-3, 3}, {0, 5}, {-2, 4}};
    Levels levels = choices[random() % std::size(choices)];
    for (ArrayImage &array : layer.arrays)
      for (int8_t &cell : array.cells)
        if (levels.hi > 1)
          cell = int8_t(levels.lo +
                        int(random() % uint32_t(levels.hi - levels.lo + 1)));
    return levels;
  }

  /// The 6 bits of the layer, or others. A table of INL is for 6.
  void chooseBits(TestLayer &layer, Chosen &chosen) {
    const int choices[] = {6, 6, 6, 1, 2, 4, 8, 10, 16};
    int bits = choices[random() % std::size(choices)];
    if (bits == 6)
      return;
    layer.layer.adc_lo = -(1 << (bits - 1));
    layer.layer.adc_hi = (1 << (bits - 1)) - 1;
    chosen["adc"].erase("inl");
  }

  /// Programs and prepares; one device may not be able to hold the layer, for
  /// example with codes that its converter has not.
  cim_status load(Chip &chip, const cim_device_api &api,
                  const TestLayer &layer) {
    if (!chip.program(layer))
      return CIM_OK; // it has been reported
    cim_status status = api.prepare(chip.device, &layer.layer);
    if (status != CIM_UNSUPPORTED)
      probe.works(status, "prepare");
    return status;
  }

  void compare(unsigned index) {
    auto layer = randomLayer(random, {8, 24, 6});
    Levels levels = chooseLevels(*layer);
    Chosen chosen = chooseEffects(shared, random, absurd);
    chooseBits(*layer, chosen);
    layer->layer.id = random() % 100;
    ChipOptions options = {mode, targetWith(chosen, levels), random(),
                           uint32_t(random())};
    if (random() % 4 == 0)
      options.age = 1000.0 * (random() % 1000);
    Chip mine(probe, options), yours(probe, other, options);
    if (!mine || !yours || !fits(mine.info(), *layer) ||
        !fits(yours.info(), *layer))
      return;
    cim_status one = load(mine, probe.api, *layer);
    cim_status two = load(yours, other, *layer);
    if (one != CIM_OK || two != CIM_OK || !probe.ok())
      return;
    std::vector<uint8_t> found = mine.run(*layer);
    if (found != yours.run(*layer))
      probe.fail("layer " + std::to_string(index) + " (" + describe(*layer) +
                 ") of " + options.target + ": the devices differ");
    crc = digest(crc, found);
    ++compared;
  }

  Probe &probe;
  const cim_device_api &other;
  const char *mode;
  std::vector<const Effect *> shared;
  bool absurd;
  std::mt19937 random;
  unsigned compared = 0;
  uint32_t crc = ~0u;
};
} // namespace

static void agree(Probe &probe, const char *mode, bool absurd) {
  Driver other;
  std::string error = loadDriver(probe.settings.against, other);
  if (!error.empty()) {
    probe.fail(error);
    return;
  }
  // Slices are a matter of converters, not of noise.
  auto isSlicing = [&](const Effect &effect) {
    return mode[0] == 'e' && std::string(effect.section) == "input";
  };
  bool analog = mode[0] == 'a';
  std::vector<const Effect *> shared;
  for (const Effect &effect : allEffects())
    if ((analog || isSlicing(effect)) && plays(probe.api, effect) &&
        plays(*other.api, effect))
      shared.push_back(&effect);
  Comparison(probe, *other.api, mode, shared, absurd).run();
}

const Checks &cim::check::agreementChecks() {
  static const Checks checks = {
      {"agreement/ideal", [](Probe &probe) { agree(probe, "ideal", false); }},
      {"agreement/exact", [](Probe &probe) { agree(probe, "exact", false); }},
      {"agreement/analog", [](Probe &probe) { agree(probe, "analog", false); }},
      {"agreement/absurd", [](Probe &probe) { agree(probe, "analog", true); }},
  };
  return checks;
}
