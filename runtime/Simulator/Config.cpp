// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Config.h. JSON's exceptions end here.

#include "Simulator/Config.h"
#include "Support/Error.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

using namespace cim;
using namespace cim::sim;
using Json = nlohmann::json;

/// Reads object[section][key] into `to` when it is there.
template <typename T>
static void number(const Json &object, const char *section, const char *key,
                   double least, double most, T &to) {
  auto at = object.find(section);
  if (at == object.end())
    return;
  if (!at->is_object())
    throw std::runtime_error(rt::format("%s is not an object", section));
  auto it = at->find(key);
  if (it == at->end())
    return;
  double value = it->is_number() ? it->get<double>() : NAN;
  if (!(value >= least && value <= most) ||
      (std::is_integral_v<T> && value != std::floor(value)))
    throw std::runtime_error(rt::format(
        "%s.%s is %s, expected %s %g .. %g", section, key, it->dump().c_str(),
        std::is_integral_v<T> ? "an integer" : "a number", least, most));
  to = T(value);
}

static void parseNoise(const Json &object, Effects &effects) {
  struct {
    const char *key;
    float *to;
  } keys[] = {{"read", &effects.readSigma},
              {"static", &effects.staticSigma},
              {"adc_offset", &effects.adcOffset},
              {"adc_gain", &effects.adcGain},
              {"adc_noise", &effects.adcNoise}};
  for (const auto &entry : keys)
    number(object, "noise", entry.key, 0, 1e6, *entry.to);
  auto noise = object.find("noise");
  if (noise == object.end())
    return;
  for (const auto &item : noise->items()) {
    bool known = false;
    for (const auto &entry : keys)
      known |= item.key() == entry.key;
    if (!known)
      throw std::runtime_error(
          rt::format("noise.%s is unknown, expected read, static, adc_offset, "
                     "adc_gain or adc_noise",
                     item.key().c_str()));
  }
}

static void parse(const Json &object, Config &config) {
  if (!object.is_object())
    throw std::runtime_error("not an object");
  number(object, "array", "rows", 1, 1 << 20, config.array.rows);
  number(object, "array", "columns", 1, 1 << 20, config.array.columns);
  number(object, "array", "cell_lo", -127, 0, config.cellLo);
  number(object, "array", "cell_hi", 1, 127, config.cellHi);
  number(object, "input", "bits", 1, 8, config.inputBits);
  parseNoise(object, config.effects);
}

cim_status cim::sim::parseConfig(const char *json, Config &config) {
  config = Config();
  if (!json)
    return CIM_OK;
  try {
    parse(Json::parse(json), config);
    return CIM_OK;
  } catch (const std::exception &e) {
    return rt::fail(CIM_INVALID_ARGUMENT, "bad device description: %s",
                    e.what());
  }
}
