// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Models.h. Decimal constants are rounded to binary32 first.

#include "Models.h"
#include "Functions.h"

#include <algorithm>
#include <cmath>

using namespace cim::reference;

using Coefficients = std::vector<float>;
/// A quantity as a function of x = g / L.
using Function = std::function<float(float)>;

/// log's argument: xl of the page.
static float least(float x) { return x > 1e-7f ? x : 1e-7f; }

/// clamp(c0 + c1 ln x, lo, hi)
static Function logarithm(float c1, float c0, float lo, float hi) {
  return [=](float x) {
    return clamp(polynomial({c0, c1}, ln(least(x))), lo, hi);
  };
}

static Function poly(Coefficients c) {
  return [=](float x) { return polynomial(c, x); };
}

/// `below` where x < limit, else `above`.
static Function either(float limit, Function below, Function above) {
  return [=](float x) { return least(x) < limit ? below(x) : above(x); };
}

static float between(float before, float after, float share) {
  float difference = after - before;
  return before + share * difference;
}

static Function constant(float value) {
  return [=](float) { return value; };
}

/// The square root in the law of 1/f noise: lf of the page.
static float flickerTime(float age, float start, float time) {
  float aged = age + start;
  return std::sqrt(positive(ln((aged + time) / (2 * time))));
}

namespace {
/// Programming noise as a polynomial; nothing else.
class Programmed : public Model {
public:
  Programmed(float most, Coefficients sigma)
      : most(most), sigma(std::move(sigma)) {}

  bool programs() const override { return !sigma.empty(); }
  bool ages(float) const override { return false; }
  bool flickers(float) const override { return false; }
  float programSigma(float x, float age) const override {
    return positive(sigmaAt(x, age)) * (1.0f / most);
  }
  float aged(float g, float, float, float, float) const override { return g; }
  float flicker(float, float, float, float, float) const override { return 0; }

protected:
  /// In the unit of g_max.
  virtual float sigmaAt(float x, float) const { return polynomial(sigma, x); }

  float most; // g_max
  Coefficients sigma;
};

/// The power law of drift, and 1/f noise relative to the conductance.
class PowerLaw : public Programmed {
public:
  struct Law {
    float start, time; // t0, tr
    Function mean, spread, flicker;
    bool drifts, flickers;
  };

  PowerLaw(float most, Coefficients sigma, Law law)
      : Programmed(most, std::move(sigma)), law(std::move(law)) {}

  bool ages(float age) const override { return law.drifts && age > 0; }
  bool flickers(float age) const override {
    return law.flickers && flickerTime(age, law.start, law.time) != 0;
  }
  float aged(float g, float x, float, float age, float deviate) const override {
    float spread = law.spread(x) * deviate;
    float nu = std::fabs(law.mean(x) + spread);
    float ratio = log2((age + law.start) / law.start);
    return g * exp2(-nu * ratio);
  }
  float flicker(float g, float gp, float, float strongest,
                float age) const override {
    float q = law.flicker(gp / strongest);
    return g * (q * flickerTime(age, law.start, law.time));
  }

private:
  Law law;
};

/// Programming noise that grows from day to day.
class ReramWan : public Programmed {
public:
  ReramWan() : Programmed(40, {}) {}

  bool programs() const override { return true; }

protected:
  float sigmaAt(float x, float age) const override {
    const float ages[] = {1, 86400, 172800};
    const Coefficients sigmas[] = {
        {0.348f, 16.03f, -43.853f, 45.393f, -16.815f},
        {0.701f, 22.086f, -50.773f, 47.095f, -16.458f},
        {0.782f, 20.274f, -43.507f, 37.062f, -11.934f}};
    age = clamp(age, ages[0], ages[2]);
    int i = age < ages[1] ? 0 : 1;
    float share = log2(age / ages[i]) / log2(ages[i + 1] / ages[i]);
    Coefficients c;
    for (size_t n = 0; n < sigmas[i].size(); ++n)
      c.push_back(between(sigmas[i][n], sigmas[i + 1][n], share));
    return polynomial(c, x);
  }
};

/// A shift that grows with the logarithm of time.
class ReramCmo : public Programmed {
public:
  ReramCmo() : Programmed(88.2f, {0.0112185391f, 0.9958022f}) {}

  bool ages(float age) const override { return age > 1; }
  bool flickers(float age) const override {
    return age > 0 && flickerTime(age, 0, 1e-6f) != 0;
  }
  float aged(float g, float, float strongest, float age,
             float deviate) const override {
    float e = ln(age);
    float spread = 0.04201137f * e + 0.41183342f;
    float shift = -0.08900206f * e + spread * deviate;
    return g + shift * (strongest / most);
  }
  float flicker(float g, float, float, float strongest,
                float age) const override {
    float micro = g * (most / strongest);
    float decades = log2(least(micro)) * float(std::log10(2.0));
    float sigma = 0.0277316483f * positive(decades);
    return sigma * flickerTime(age, 0, 1e-6f) * (strongest / most);
  }
};

class Sonos : public Programmed {
public:
  Sonos() : Programmed(1600, {}) {}

  bool programs() const override { return true; }
  bool flickers(float) const override { return true; }
  float settled(float g, float strongest, float age) const override {
    Coefficients shift = constants(age);
    shift.erase(shift.begin(), shift.begin() + 2);
    float nano = g / strongest * most;
    return positive(g + polynomial(shift, nano) * (strongest / most));
  }
  float flicker(float, float, float x, float strongest, float) const override {
    return saturating(12.58037f, 215.36557f, x) * (strongest / most);
  }

protected:
  float sigmaAt(float x, float age) const override {
    Coefficients c = constants(age);
    return saturating(c[0], c[1], x);
  }

private:
  /// A, B and the coefficients of the shift, from day to day.
  static Coefficients constants(float age) {
    const Coefficients known[] = {
        {19.88665f, 176.3115f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
        {25.59102f, 186.85544f, 1.72684e-01f, 5.72552e-02f, -6.85715e-04f,
         3.50271e-06f, -9.37682e-09f, 1.40575e-11f, -1.19803e-14f, 5.41293e-18f,
         -8.85448e-22f, -1.66869e-25f, 5.95180e-29f},
        {28.72753f, 193.56834f, 2.50712e-01f, 6.62195e-02f, -6.83218e-04f,
         2.99442e-06f, -6.78255e-09f, 7.70482e-12f, -3.04983e-15f,
         -2.15919e-18f, 2.94617e-21f, -1.23359e-24f, 1.85329e-28f},
        {31.04318f, 198.90332f, -1.75300e-02f, 9.76883e-02f, -9.63791e-04f,
         4.55551e-06f, -1.22391e-08f, 1.93786e-11f, -1.85899e-14f, 1.07659e-17f,
         -3.58211e-21f, 5.96785e-25f, -3.30410e-29f},
        {33.76214f, 204.77023f, 4.03338e-02f, 1.03111e-01f, -1.04740e-03f,
         4.83961e-06f, -1.28132e-08f, 1.99484e-11f, -1.85139e-14f, 1.00008e-17f,
         -2.84944e-21f, 3.01008e-25f, 1.18747e-29f},
        {34.57909f, 207.34309f, 3.19927e-01f, 1.06596e-01f, -1.04054e-03f,
         4.50290e-06f, -1.10352e-08f, 1.56477e-11f, -1.27592e-14f, 5.45513e-18f,
         -7.26841e-22f, -2.43893e-25f, 7.14608e-29f}};
    float days = clamp(age / 86400.0f, 0, 5);
    int i = std::min(int(days), 4);
    Coefficients c;
    for (size_t n = 0; n < known[i].size(); ++n)
      c.push_back(between(known[i][n], known[i + 1][n], days - float(i)));
    return c;
  }

  /// A (1 - exp(-g / B)), g in nA.
  float saturating(float a, float b, float x) const {
    float exponent = -(x * most) / b;
    return a * (1 - exp2(exponent * float(1 / ln2)));
  }
};
} // namespace

static Function hermesMean() {
  return either(0.0945f, logarithm(-0.0387f, -0.0182f, 0.072f, 0.13f),
                poly({0.0736f, -0.0126f, -0.0436f}));
}

static std::unique_ptr<Model> pcm() {
  Function q = [](float x) {
    float root = power(least(x), 0.65f);
    float share = 0.0088f / (root > 0.001f ? root : 0.001f);
    return share < 0.2f ? share : 0.2f;
  };
  return std::make_unique<PowerLaw>(
      25.0f, Coefficients{0.26348f, 1.965f, -1.1731f},
      PowerLaw::Law{20, 250e-9f, logarithm(-0.0155f, 0.0244f, 0.049f, 0.1f),
                    logarithm(-0.0125f, -0.0059f, 0.008f, 0.045f), q, true,
                    true});
}

static std::unique_ptr<Model> hermes1() {
  return std::make_unique<PowerLaw>(
      10.35f, Coefficients{0.15781817f, 2.32443916f, -2.16310839f, 0.68841818f},
      PowerLaw::Law{
          200, 512e-9f, hermesMean(),
          either(0.3039f, logarithm(-0.012f, -0.0023f, 0.0124f, 0.04f),
                 poly({0.0104f, 0.0116f, -0.0165f})),
          either(0.1591f, logarithm(-0.0078f, 0.0038f, 0.0179f, 0.04f),
                 poly({0.0088f, 0.0768f, -0.1352f, 0.0664f})),
          true, true});
}

static std::unique_ptr<Model> hermes2() {
  return std::make_unique<PowerLaw>(
      20.7f, Coefficients{0.16603222f, 4.71806468f, -8.48101252f, 4.68961419f},
      PowerLaw::Law{300, 512e-9f, hermesMean(),
                    either(0.3055f,
                           logarithm(-0.0117f, -0.0057f, 0.0091f, 0.04f),
                           poly({0.0073f, 0.0093f, -0.0118f})),
                    either(0.16f, logarithm(-0.0117f, -0.0069f, 0.015f, 0.04f),
                           poly({0.0123f, 0.0211f, -0.028f, 0.0069f})),
                    true, true});
}

/// The keys program, drift and flicker.
static std::unique_ptr<Model> generic(const CellConfig &c) {
  return std::make_unique<PowerLaw>(
      1.0f, c.program,
      PowerLaw::Law{c.driftStart, c.flickerTime, constant(c.drift),
                    constant(c.driftSpread), constant(c.flicker),
                    c.drift != 0 || c.driftSpread != 0, c.flicker != 0});
}

std::unique_ptr<Model> cim::reference::makeModel(const CellConfig &c) {
  if (c.model == "pcm")
    return pcm();
  if (c.model == "pcm-hermes-1")
    return hermes1();
  if (c.model == "pcm-hermes-2")
    return hermes2();
  if (c.model == "pcm-joshi")
    return std::make_unique<Programmed>(
        25.0f, Coefficients{0.28638599f, 1.896431f, -1.11729375f});
  if (c.model == "reram-wan")
    return std::make_unique<ReramWan>();
  if (c.model == "reram-cmo")
    return std::make_unique<ReramCmo>();
  if (c.model == "reram-milo")
    return std::make_unique<Programmed>(225.0f,
                                        Coefficients{4.782321f, -2.049075f});
  if (c.model == "sonos")
    return std::make_unique<Sonos>();
  return generic(c);
}
