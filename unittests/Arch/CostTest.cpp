// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The cost model against published figures of the shipped targets.

#include "cim/Cost/Cost.h"
#include "Example.h"

using namespace cim;

static Arch target(llvm::StringRef name) {
  auto arch = Arch::load(name);
  if (!arch) {
    ADD_FAILURE() << llvm::toString(arch.takeError());
    std::abort();
  }
  return *arch;
}

/// |value - expected| within `percent` of expected.
static void expectNear(double value, double expected, double percent) {
  EXPECT_NEAR(value, expected, expected * percent / 100);
}

TEST(Cost, EveryAnchorIsReproduced) {
  size_t anchors = 0;
  for (const std::string &name : Arch::knownTargets()) {
    Arch arch = target(name);
    for (const Arch::Anchor &anchor : arch.anchors()) {
      ++anchors;
      EXPECT_TRUE(cost::reproduces(arch, anchor))
          << name << ": " << anchor.text << ", model "
          << cost::modelValue(arch, anchor).value_or(-1);
    }
  }
  EXPECT_GE(anchors, 9u);
}

// Figures of imec and of the CICC 2021 paper, written here once more so that
// an edited target file cannot move its own goal.
TEST(Cost, Ania) {
  Arch arch = target("imec-ania");
  expectNear(cost::peakThroughput(arch), 23.6e12, 1);
  expectNear(cost::peakThroughput(arch) / *cost::arrayArea(arch), 12.1e12, 1);
  expectNear(*cost::arrayArea(arch), 1.9425, 1);
  expectNear(*cost::peakEfficiency(arch), 1300e12, 1);
  expectNear(*cost::peakEfficiency(arch, 0.8), 1300e12, 1);
  expectNear(*cost::peakEfficiency(arch, 0.6), 2700e12, 1);
}

// At full activity the components alone give 889 pJ (analog-models.md 3.3).
TEST(Cost, AniaComponents) {
  Arch arch = target("imec-ania");
  const Arch::Energy &e = *arch.energy();
  double full = 1024 * e.dac.value + 512 * e.adc.value +
                1024 * 512 * (e.gate.value + e.line.value);
  expectNear(full, 889e-12, 1);
}

TEST(Cost, Diana) {
  Arch arch = target("diana");
  expectNear(cost::peakThroughput(arch), 16.9e12, 1);
  expectNear(*cost::peakEfficiency(arch), 590e12, 1);
}

// odimo's count for ResNet-20: 2312 unrolled MVMs and 5755 rows to load, each
// charged at the full power of the analog core; 81.6 MOP.
TEST(Cost, DianaResNet20) {
  Arch arch = target("diana");
  cost::Work mvms{2312, 1152, 512, 1152.0 * 512};
  cost::Cost compute = cost::totalCost(arch, mvms);
  cost::Cost load = *cost::rowWriteCost(arch, 5755);
  double seconds = compute.seconds + load.seconds;
  double joules = *compute.joules + *load.joules;
  expectNear(seconds, 0.339e-3, 1);
  expectNear(joules, 9.74e-6, 1);
  expectNear(81.6e6 / joules, 8.38e12, 1);
}

TEST(Cost, Blueprint) {
  Arch arch = target("imec-blueprint");
  EXPECT_TRUE(arch.isProjection());
  expectNear(1 / arch.area()->cell.value, 16e6, 0.1);
  expectNear(cost::peakThroughput(arch) / *cost::arrayArea(arch), 3.2e15, 0.1);
  expectNear(*cost::peakEfficiency(arch), 10000e12, 0.1);
}

TEST(Cost, EnergyFollowsWhatIsActive) {
  Arch arch = target("imec-ania");
  const Arch::Energy &e = *arch.energy();
  double one = *cost::mvmEnergy(arch, 1, 1, 1);
  EXPECT_DOUBLE_EQ(one, e.dac.value + e.adc.value +
                            e.activity.value * (e.gate.value + e.line.value));
  cost::Cost sum = cost::totalCost(arch, {{3, 1, 1, 1}, {2, 0, 0, 0}});
  EXPECT_DOUBLE_EQ(*sum.joules, 3 * one);
  EXPECT_DOUBLE_EQ(sum.seconds, 5 * 44.4e-9);
  EXPECT_EQ(cost::totalCost(arch, {}).joules, 0.0);
}

TEST(Cost, UnknownFiguresAreAbsentNotZero) {
  auto arch = parseText(kExample);
  ASSERT_TRUE(bool(arch));
  EXPECT_FALSE(cost::mvmEnergy(*arch, 1, 1, 1));
  EXPECT_FALSE(cost::totalCost(*arch, {{1, 1, 1, 1}}).joules);
  EXPECT_FALSE(cost::peakEfficiency(*arch));
  EXPECT_FALSE(cost::arrayArea(*arch));
  EXPECT_FALSE(cost::rowWriteCost(*arch, 1));
  EXPECT_FALSE(cost::mvmEnergy(target("imec-blueprint"), 1, 1, 1, 0.6));
}

TEST(Cost, AnchorOutOfReachIsReported) {
  Arch arch = target("imec-ania");
  Arch::Anchor anchor = arch.anchors().front();
  anchor.value *= 2;
  EXPECT_FALSE(cost::reproduces(arch, anchor));
}
