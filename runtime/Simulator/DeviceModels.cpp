// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See DeviceModels.h. Compiled without contraction; the order of operations is
// that of docs/Numerics.md, section 5.4.

#include "Simulator/DeviceModels.h"
#include "Simulator/Functions.h"

#include <algorithm>

using namespace cim::sim;

namespace {
/// Constants of a model that do not depend on the state.
struct Constants {
  float largest;
  std::vector<float> program;
  float start, readTime; // t0 and tr; 0: no power law, no 1/f noise
};
} // namespace

static Constants constantsOf(DeviceModel model) {
  switch (model) {
  case DeviceModel::Generic:
    break;
  case DeviceModel::Pcm:
    return {25, {0.26348f, 1.965f, -1.1731f}, 20, 250e-9f};
  case DeviceModel::PcmHermes1:
    return {10.35f,
            {0.15781817f, 2.32443916f, -2.16310839f, 0.68841818f},
            200,
            512e-9f};
  case DeviceModel::PcmHermes2:
    return {20.7f,
            {0.16603222f, 4.71806468f, -8.48101252f, 4.68961419f},
            300,
            512e-9f};
  case DeviceModel::PcmJoshi:
    return {25, {0.28638599f, 1.896431f, -1.11729375f}, 0, 0};
  case DeviceModel::ReramWan:
    return {40, {}, 0, 0};
  case DeviceModel::ReramCmo:
    return {88.2f, {0.0112185391f, 0.9958022f}, 0, 1e-6f};
  case DeviceModel::ReramMilo:
    return {225, {4.782321f, -2.049075f}, 0, 0};
  case DeviceModel::Sonos:
    return {1600, {}, 0, 0};
  }
  return {1, {}, 0, 0};
}

static float clamp(float x, float lo, float hi) {
  x = x > lo ? x : lo;
  return x < hi ? x : hi;
}

static float horner(const float *coefficients, size_t count, float x) {
  float sum = 0;
  for (size_t i = count; i-- > 0;)
    sum = i + 1 == count ? coefficients[i] : sum * x + coefficients[i];
  return sum;
}

template <size_t Count>
static float horner(const float (&coefficients)[Count], float x) {
  return horner(coefficients, Count, x);
}

static constexpr float day = 86400;

/// Deviations of Wan et al. are known at three ages.
static std::vector<float> wanPolynomial(float age) {
  static const float at[] = {1, day, 2 * day};
  static const float known[][5] = {
      {0.348f, 16.03f, -43.853f, 45.393f, -16.815f},
      {0.701f, 22.086f, -50.773f, 47.095f, -16.458f},
      {0.782f, 20.274f, -43.507f, 37.062f, -11.934f}};
  age = clamp(age, at[0], at[2]);
  int first = age < at[1] ? 0 : 1;
  float w = log2Of(age / at[first]) / log2Of(at[first + 1] / at[first]);
  std::vector<float> mixed(5);
  for (int i = 0; i < 5; ++i)
    mixed[i] = known[first][i] + w * (known[first + 1][i] - known[first][i]);
  return mixed;
}

/// A, B and the polynomial of the mean shift of the SONOS device, in nA, known
/// for six days.
static std::vector<float> sonosConstants(float age) {
  static const float known[][13] = {
      {19.88665f, 176.3115f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
      {25.59102f, 186.85544f, 1.72684e-01f, 5.72552e-02f, -6.85715e-04f,
       3.50271e-06f, -9.37682e-09f, 1.40575e-11f, -1.19803e-14f, 5.41293e-18f,
       -8.85448e-22f, -1.66869e-25f, 5.95180e-29f},
      {28.72753f, 193.56834f, 2.50712e-01f, 6.62195e-02f, -6.83218e-04f,
       2.99442e-06f, -6.78255e-09f, 7.70482e-12f, -3.04983e-15f, -2.15919e-18f,
       2.94617e-21f, -1.23359e-24f, 1.85329e-28f},
      {31.04318f, 198.90332f, -1.75300e-02f, 9.76883e-02f, -9.63791e-04f,
       4.55551e-06f, -1.22391e-08f, 1.93786e-11f, -1.85899e-14f, 1.07659e-17f,
       -3.58211e-21f, 5.96785e-25f, -3.30410e-29f},
      {33.76214f, 204.77023f, 4.03338e-02f, 1.03111e-01f, -1.04740e-03f,
       4.83961e-06f, -1.28132e-08f, 1.99484e-11f, -1.85139e-14f, 1.00008e-17f,
       -2.84944e-21f, 3.01008e-25f, 1.18747e-29f},
      {34.57909f, 207.34309f, 3.19927e-01f, 1.06596e-01f, -1.04054e-03f,
       4.50290e-06f, -1.10352e-08f, 1.56477e-11f, -1.27592e-14f, 5.45513e-18f,
       -7.26841e-22f, -2.43893e-25f, 7.14608e-29f}};
  float days = clamp(age / day, 0, 5);
  int first = std::min(int(days), 4);
  float w = days - float(first);
  std::vector<float> mixed(13);
  for (int i = 0; i < 13; ++i)
    mixed[i] = known[first][i] + w * (known[first + 1][i] - known[first][i]);
  return mixed;
}

DevicePhysics::DevicePhysics(const CellEffects &cells, float age)
    : model(cells.model), mu(cells.drift), sd(cells.driftSpread),
      generalQ(cells.flicker) {
  bool generic = model == DeviceModel::Generic;
  Constants constants = constantsOf(model);
  if (generic)
    constants = {1, cells.program, cells.driftStart, cells.flickerTime};
  largest = constants.largest;
  polynomial = constants.program;
  if (model == DeviceModel::ReramWan)
    polynomial = wanPolynomial(age);
  if (model == DeviceModel::Sonos) {
    std::vector<float> constants = sonosConstants(age);
    sonosA = constants[0];
    sonosB = constants[1];
    shift.assign(constants.begin() + 2, constants.end());
  }
  float older = age + constants.start;
  hasPowerLaw =
      age > 0 && constants.start > 0 && (!generic || mu != 0 || sd != 0);
  if (hasPowerLaw)
    ratio = log2Of(older / constants.start);
  hasShift = model == DeviceModel::ReramCmo && age > 1;
  if (hasShift) {
    float e = lnOf(age);
    shiftMean = -0.08900206f * e;
    shiftDeviation = 0.04201137f * e + 0.41183342f;
  }
  float readTime = constants.readTime;
  if (readTime > 0 && older > 0) {
    float term = lnOf((older + readTime) / (2 * readTime));
    flickerTerm = std::sqrt(term > 0 ? term : 0);
  }
}

float DevicePhysics::settled(float g, float strongest) const {
  if (shift.empty())
    return g;
  float unit = strongest / largest;
  g = g + horner(shift.data(), shift.size(), g / strongest * largest) * unit;
  return g > 0 ? g : 0;
}

float DevicePhysics::sonosDeviation(float x, float a, float b) const {
  return a * (1.0f - exp2Of(-(x * largest) / b * inverseLn2));
}

float DevicePhysics::programming(float x) const {
  float sigma = model == DeviceModel::Sonos
                    ? sonosDeviation(x, sonosA, sonosB)
                    : horner(polynomial.data(), polynomial.size(), x);
  return (sigma > 0 ? sigma : 0) * (1.0f / largest);
}

DevicePhysics::Exponent DevicePhysics::exponent(float x) const {
  if (model == DeviceModel::Generic)
    return {mu, sd};
  x = x > 1e-7f ? x : 1e-7f;
  float l = lnOf(x);
  if (model == DeviceModel::Pcm)
    return {clamp(-0.0155f * l + 0.0244f, 0.049f, 0.1f),
            clamp(-0.0125f * l - 0.0059f, 0.008f, 0.045f)};
  Exponent e = {0, 0};
  e.mean = x < 0.0945f ? clamp(-0.0387f * l - 0.0182f, 0.072f, 0.13f)
                       : horner({0.0736f, -0.0126f, -0.0436f}, x);
  if (model == DeviceModel::PcmHermes1)
    e.deviation = x < 0.3039f ? clamp(-0.012f * l - 0.0023f, 0.0124f, 0.04f)
                              : horner({0.0104f, 0.0116f, -0.0165f}, x);
  else
    e.deviation = x < 0.3055f ? clamp(-0.0117f * l - 0.0057f, 0.0091f, 0.04f)
                              : horner({0.0073f, 0.0093f, -0.0118f}, x);
  return e;
}

float DevicePhysics::aged(float g, const Exponent &exponent, float normal,
                          float strongest) const {
  if (hasPowerLaw) {
    float nu = std::fabs(exponent.mean + exponent.deviation * normal);
    g = g * exp2Of(-nu * ratio);
  }
  if (hasShift)
    g = g + (shiftMean + shiftDeviation * normal) * (strongest / largest);
  return g > 0 ? g : 0;
}

bool DevicePhysics::flickers() const {
  switch (model) {
  case DeviceModel::Generic:
    return generalQ != 0 && flickerTerm != 0;
  case DeviceModel::Pcm:
  case DeviceModel::PcmHermes1:
  case DeviceModel::PcmHermes2:
    return true;
  case DeviceModel::ReramCmo:
    return flickerTerm != 0;
  case DeviceModel::Sonos:
    return true;
  case DeviceModel::PcmJoshi:
  case DeviceModel::ReramWan:
  case DeviceModel::ReramMilo:
    break;
  }
  return false;
}

float DevicePhysics::flickerShare(float x) const {
  if (model == DeviceModel::Generic)
    return generalQ;
  x = x > 1e-7f ? x : 1e-7f;
  if (model == DeviceModel::Pcm) {
    float power = powerOf(x, 0.65f);
    float q = 0.0088f / (power > 0.001f ? power : 0.001f);
    return q < 0.2f ? q : 0.2f;
  }
  if (model == DeviceModel::PcmHermes1)
    return x < 0.1591f ? clamp(-0.0078f * lnOf(x) + 0.0038f, 0.0179f, 0.04f)
                       : horner({0.0088f, 0.0768f, -0.1352f, 0.0664f}, x);
  return x < 0.16f ? clamp(-0.0117f * lnOf(x) - 0.0069f, 0.015f, 0.04f)
                   : horner({0.0123f, 0.0211f, -0.028f, 0.0069f}, x);
}

float DevicePhysics::flicker(float g, float programmed, float nominal,
                             float strongest) const {
  if (model == DeviceModel::Sonos)
    return sonosDeviation(nominal, 12.58037f, 215.36557f) *
           (strongest / largest);
  if (model == DeviceModel::ReramCmo) {
    float siemens = g * (largest / strongest);
    float digits =
        log2Of(siemens > 1e-7f ? siemens : 1e-7f) * 0.30102999566398120f;
    return 0.0277316483f * (digits > 0 ? digits : 0) * flickerTerm *
           (strongest / largest);
  }
  return g * (flickerShare(programmed) * flickerTerm);
}
