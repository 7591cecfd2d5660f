// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Effects.h.

#include "Effects.h"

using namespace cim::check;

static Effect number(const char *section, const char *key, float least,
                     float most, float limit, int count = 0) {
  return {section, key, {}, least, most, limit, count};
}

static Effect words(const char *section, const char *key,
                    std::vector<const char *> words) {
  return {section, key, std::move(words)};
}

const std::vector<Effect> &cim::check::allEffects() {
  static const std::vector<Effect> effects = {
      number("noise", "read", 0.01f, 0.1f, 1e6f),
      number("noise", "static", 0.01f, 0.2f, 1e6f),
      number("noise", "adc_offset", 0.1f, 1.0f, 1e6f),
      number("noise", "adc_gain", 0.01f, 0.1f, 1e6f),
      number("noise", "adc_noise", 0.1f, 1.0f, 1e6f),
      words("noise", "philox_rounds", {"10"}),
      words("input", "slice_bits", {"1", "2", "3"}),
      words("input", "accumulation", {"\"analog\""}),
      number("input", "slice_gain", 0.5f, 2, 1e6f),
      number("input", "jitter", 0.01f, 0.5f, 1e6f),
      words("cells", "mapping", {"\"offset\""}),
      words("cells", "distribution", {"\"uniform\"", "\"lognormal\""}),
      words("cells", "dependence", {"\"additive\"", "\"inverse\""}),
      number("cells", "on_off", 2, 100, 1e9f),
      number("cells", "stuck_on", 0.001f, 0.1f, 0.5f),
      number("cells", "stuck_off", 0.001f, 0.1f, 0.5f),
      words("cells", "faults",
            {"[[0, 1, 2, 1], [0, 2, -1, 0]]",
             "[[0, -1, 3, -1], [1, -1, -1, 0]]",
             "[[0, -1, -1, 1], [0, 4, 4, -1]]"}),
      words("cells", "program", {"[0.05]", "[0.01, 0.1, -0.05]"}),
      number("cells", "drift", 0.01f, 0.1f, 1e6f),
      number("cells", "drift_spread", 0.01f, 0.05f, 1e6f),
      number("cells", "drift_start", 0.5f, 100, 1e15f),
      number("cells", "flicker", 0.01f, 0.1f, 1e6f),
      number("cells", "flicker_time", 1e-5f, 1e-3f, 1e15f),
      words("cells", "compensation", {"\"global\""}),
      words("cells", "age",
            {"0.5", "100", "3600", "86400", "100000", "250000", "31557600"}),
      words("cells", "model",
            {"\"pcm\"", "\"pcm-hermes-1\"", "\"pcm-hermes-2\"", "\"pcm-joshi\"",
             "\"reram-wan\"", "\"reram-cmo\"", "\"reram-milo\"", "\"sonos\""}),
      number("lines", "attenuation", 0.01f, 0.3f, 1),
      number("lines", "compression", 0.01f, 0.5f, 1e6f),
      number("lines", "spread", 0.01f, 0.2f, 1e6f),
      words("lines", "curve", {"\"exponential\""}),
      number("lines", "full_scale", 50, 5000, 1e12f),
      number("lines", "headroom", 0.3f, 0.9f, 1e6f),
      number("lines", "wire_resistance", 0.1f, 5, 1e9f),
      number("lines", "temperature", 100, 400, 1e4f),
      words("adc", "architecture", {"\"ramp\"", "\"sar\"", "\"sar-split\""}),
      number("adc", "capacitor_mismatch", 0.001f, 0.3f, 1e3f),
      number("adc", "amplifier_gain", 20, 60, 300),
      number("adc", "inl", -1, 1, 1e6f, 63),
      words("adc", "columns_per_adc", {"2", "8"}),
      words("adc", "calibration_reads", {"2", "5", "64"}),
  };
  return effects;
}

std::string Effect::value(std::mt19937 &random, bool absurd) const {
  if (!words.empty())
    return words[random() % words.size()];
  auto one = [&] {
    float value = std::uniform_real_distribution<float>(least, most)(random);
    for (uint32_t decades = absurd ? random() % 10 : 0;
         decades > 0 && value * 10 <= limit && value * 10 >= -limit; --decades)
      value = value * 10;
    return std::to_string(value);
  };
  if (count == 0)
    return one();
  std::string list = one();
  for (int i = 1; i < count; ++i)
    list += ", " + one();
  return "[" + list + "]";
}

Chosen cim::check::chooseEffects(const std::vector<const Effect *> &among,
                                 std::mt19937 &random, bool absurd) {
  Chosen chosen;
  uint32_t rarity = 2 + random() % 8;
  for (const Effect *effect : among)
    if (random() % rarity == 0)
      chosen[effect->section][effect->key] = effect->value(random, absurd);
  if (chosen["input"].count("slice_bits"))
    chosen["input"].erase("jitter"); // that is of one pulse
  // A device with a name brings these.
  if (chosen["cells"].count("model"))
    for (const char *key : {"program", "drift", "drift_spread", "drift_start",
                            "flicker", "flicker_time"})
      chosen["cells"].erase(key);
  return chosen;
}

std::string cim::check::targetWith(Chosen chosen, Levels levels) {
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
