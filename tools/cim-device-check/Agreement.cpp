// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Two devices, the same layers, the same bits: --against=OTHER.so.

#include "Probe.h"

#include <cstdio>
#include <map>

using namespace cim::check;
using namespace cim::test;

namespace {
/// A key of the target that switches an effect on, and how far.
struct Effect {
  const char *section, *key;
  float least, most;
};

constexpr Effect effects[] = {
    {"noise", "read", 0.01f, 0.1f},      {"noise", "static", 0.01f, 0.2f},
    {"noise", "adc_offset", 0.1f, 1.0f}, {"noise", "adc_gain", 0.01f, 0.1f},
    {"noise", "adc_noise", 0.1f, 1.0f},
};

/// The effects of one chip, with their figures.
using Chosen = std::map<const Effect *, float>;
} // namespace

static std::string targetWith(const Chosen &chosen) {
  std::map<std::string, std::string> sections;
  for (auto [effect, value] : chosen) {
    std::string &section = sections[effect->section];
    section += std::string(section.empty() ? "" : ", ") + "\"" + effect->key +
               "\": " + std::to_string(value);
  }
  std::string text = defaultTarget;
  text.pop_back();
  for (const auto &[name, members] : sections)
    text += ", \"" + name + "\": {" + members + "}";
  return text + "}";
}

/// Whether a device plays this effect.
static bool plays(const cim_device_api &api, const Effect &effect) {
  std::string target = targetWith({{&effect, effect.most}});
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
class Comparison {
public:
  Comparison(Probe &probe, const cim_device_api &other, const char *mode)
      : probe(probe), other(other), mode(mode), random(probe.settings.seed) {}

  void run(const std::vector<const Effect *> &shared) {
    for (unsigned i = 0; i < probe.settings.layers && probe.ok(); ++i)
      compare(i, shared);
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
  void compare(unsigned index, const std::vector<const Effect *> &shared) {
    auto layer = randomLayer(random, {8, 24, 6});
    Chosen chosen;
    for (const Effect *effect : shared)
      if (random() % 2)
        chosen[effect] = std::uniform_real_distribution<float>(
            effect->least, effect->most)(random);
    layer->layer.id = random() % 100;
    ChipOptions options = {mode, targetWith(chosen), random(),
                           uint32_t(random())};
    Chip mine(probe, options), yours(probe, other, options);
    if (!mine || !yours || !fits(mine.info(), *layer) ||
        !fits(yours.info(), *layer))
      return;
    if (!mine.load(*layer) || !yours.load(*layer))
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
  std::mt19937 random;
  unsigned compared = 0;
  uint32_t crc = ~0u;
};
} // namespace

static void agree(Probe &probe, const char *mode) {
  Driver other;
  std::string error = loadDriver(probe.settings.against, other);
  if (!error.empty()) {
    probe.fail(error);
    return;
  }
  std::vector<const Effect *> shared;
  for (const Effect &effect : effects)
    if (mode[0] == 'a' && plays(probe.api, effect) && plays(*other.api, effect))
      shared.push_back(&effect);
  Comparison(probe, *other.api, mode).run(shared);
}

const Checks &cim::check::agreementChecks() {
  static const Checks checks = {
      {"agreement/ideal", [](Probe &probe) { agree(probe, "ideal"); }},
      {"agreement/exact", [](Probe &probe) { agree(probe, "exact"); }},
      {"agreement/analog", [](Probe &probe) { agree(probe, "analog"); }},
  };
  return checks;
}
