// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Two devices, the same layers, the same bits: --against=OTHER.so.

#include "Probe.h"

#include <cstdio>
#include <map>

using namespace cim::check;
using namespace cim::test;

namespace {
/// A key of the target that switches an effect on, with values to try: a number
/// from a range (or a list of `count` such), or one of some words of JSON.
struct Effect {
  const char *section, *key;
  float least, most;
  std::vector<const char *> words;
  int count = 0;
};

const Effect effects[] = {
    {"noise", "read", 0.01f, 0.1f, {}},
    {"noise", "static", 0.01f, 0.2f, {}},
    {"noise", "adc_offset", 0.1f, 1.0f, {}},
    {"noise", "adc_gain", 0.01f, 0.1f, {}},
    {"noise", "adc_noise", 0.1f, 1.0f, {}},
    {"noise", "philox_rounds", 0, 0, {"10"}},
    {"input", "slice_bits", 0, 0, {"1", "2", "3"}},
    {"input", "accumulation", 0, 0, {"\"analog\""}},
    {"input", "slice_gain", 0.5f, 2, {}},
    {"input", "jitter", 0.01f, 0.5f, {}},
    {"cells", "mapping", 0, 0, {"\"offset\""}},
    {"cells", "distribution", 0, 0, {"\"uniform\"", "\"lognormal\""}},
    {"cells", "dependence", 0, 0, {"\"additive\"", "\"inverse\""}},
    {"cells", "on_off", 2, 100, {}},
    {"cells", "stuck_on", 0.001f, 0.1f, {}},
    {"cells", "stuck_off", 0.001f, 0.1f, {}},
    {"cells",
     "faults",
     0,
     0,
     {"[[0, 1, 2, 1], [0, 2, -1, 0]]", "[[0, -1, 3, -1], [1, -1, -1, 0]]",
      "[[0, -1, -1, 1], [0, 4, 4, -1]]"}},
    {"cells", "program", 0, 0, {"[0.05]", "[0.01, 0.1, -0.05]"}},
    {"cells", "drift", 0.01f, 0.1f, {}},
    {"cells", "drift_spread", 0.01f, 0.05f, {}},
    {"cells", "drift_start", 0.5f, 100, {}},
    {"cells", "flicker", 0.01f, 0.1f, {}},
    {"cells", "flicker_time", 1e-5f, 1e-3f, {}},
    {"cells", "compensation", 0, 0, {"\"global\""}},
    {"cells",
     "age",
     0,
     0,
     {"0.5", "100", "3600", "86400", "100000", "250000", "31557600"}},
    {"cells",
     "model",
     0,
     0,
     {"\"pcm\"", "\"pcm-hermes-1\"", "\"pcm-hermes-2\"", "\"pcm-joshi\"",
      "\"reram-wan\"", "\"reram-cmo\"", "\"reram-milo\"", "\"sonos\""}},
    {"lines", "attenuation", 0.01f, 0.3f, {}},
    {"lines", "compression", 0.01f, 0.5f, {}},
    {"lines", "spread", 0.01f, 0.2f, {}},
    {"lines", "curve", 0, 0, {"\"exponential\""}},
    {"lines", "full_scale", 50, 5000, {}},
    {"lines", "headroom", 0.3f, 0.9f, {}},
    {"lines", "wire_resistance", 0.1f, 5, {}},
    {"lines", "temperature", 100, 400, {}},
    {"adc", "architecture", 0, 0, {"\"ramp\"", "\"sar\""}},
    {"adc", "capacitor_mismatch", 0.001f, 0.3f, {}},
    {"adc", "amplifier_gain", 20, 60, {}},
    {"adc", "inl", -1, 1, {}, 63}, // random layers have 6 bits
    {"adc", "columns_per_adc", 0, 0, {"2", "8"}},
};

/// The effects of one chip, as section, key and JSON.
using Chosen = std::map<std::string, std::map<std::string, std::string>>;
} // namespace

static std::string valueOf(const Effect &effect, std::mt19937 &random) {
  if (!effect.words.empty())
    return effect.words[random() % effect.words.size()];
  auto number = [&] {
    return std::to_string(std::uniform_real_distribution<float>(
        effect.least, effect.most)(random));
  };
  if (effect.count == 0)
    return number();
  std::string list = number();
  for (int i = 1; i < effect.count; ++i)
    list += ", " + number();
  return "[" + list + "]";
}

/// Levels of a cell.
struct Levels {
  int lo = -1, hi = 1;
};

static std::string targetWith(Chosen chosen, Levels levels = {}) {
  chosen["array"] = {{"rows", "1024"},
                     {"columns", "512"},
                     {"cell_lo", std::to_string(levels.lo)},
                     {"cell_hi", std::to_string(levels.hi)}};
  chosen["input"]["bits"] = "7";
  if (chosen.count("lines"))
    chosen["lines"]["cell_conductance"] = "0.0005"; // siemens
  std::string text;
  for (const auto &[section, members] : chosen) {
    text += (text.empty() ? "{\"" : ", \"") + section + "\": {";
    const char *separator = "";
    for (const auto &[key, value] : members) {
      text += separator + ("\"" + key + "\": " + value);
      separator = ", ";
    }
    text += "}";
  }
  return text + "}";
}

/// Whether a device plays this effect.
static bool plays(const cim_device_api &api, const Effect &effect) {
  std::mt19937 random;
  std::string target =
      targetWith({{effect.section, {{effect.key, valueOf(effect, random)}}}});
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
  /// Few effects or many, so that each is also seen alone.
  Chosen choose(const std::vector<const Effect *> &shared) {
    Chosen chosen;
    uint32_t rarity = 2 + random() % 8;
    for (const Effect *effect : shared)
      if (random() % rarity == 0)
        chosen[effect->section][effect->key] = valueOf(*effect, random);
    if (chosen["input"].count("slice_bits"))
      chosen["input"].erase("jitter"); // that is of one pulse
    // A device with a name brings these.
    if (auto cells = chosen.find("cells");
        cells != chosen.end() && cells->second.count("model"))
      for (const char *key : {"program", "drift", "drift_spread", "drift_start",
                              "flicker", "flicker_time"})
        cells->second.erase(key);
    return chosen;
  }

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

  void compare(unsigned index, const std::vector<const Effect *> &shared) {
    auto layer = randomLayer(random, {8, 24, 6});
    Levels levels = chooseLevels(*layer);
    Chosen chosen = choose(shared);
    layer->layer.id = random() % 100;
    ChipOptions options = {mode, targetWith(chosen, levels), random(),
                           uint32_t(random())};
    if (random() % 4 == 0)
      options.age = 1000.0 * (random() % 1000);
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
  // Slices are a matter of converters, not of noise.
  auto isSlicing = [&](const Effect &effect) {
    return mode[0] == 'e' && std::string(effect.section) == "input";
  };
  bool analog = mode[0] == 'a';
  std::vector<const Effect *> shared;
  for (const Effect &effect : effects)
    if ((analog || isSlicing(effect)) && plays(probe.api, effect) &&
        plays(*other.api, effect))
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
