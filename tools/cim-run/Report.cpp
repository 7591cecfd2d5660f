// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Report.h.

#include "Report.h"
#include "Statistics.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

using namespace cim::run;

[[gnu::format(printf, 1, 2)]] static std::string format(const char *pattern,
                                                        ...) {
  char text[256];
  va_list arguments;
  va_start(arguments, pattern);
  vsnprintf(text, sizeof text, pattern, arguments);
  va_end(arguments);
  return text;
}

double Results::imagesPerSecond() const {
  double seconds = 0;
  for (const Trial &trial : trials)
    seconds += trial.seconds;
  return seconds > 0 ? double(samples) * double(trials.size()) / seconds : 0;
}

std::vector<double> Results::accuracies() const {
  std::vector<double> values;
  for (const Trial &trial : trials)
    if (trial.top1)
      values.push_back(*trial.top1);
  return values;
}

/// How many chips reach the bound.
static size_t passing(const std::vector<double> &values, double bound) {
  return size_t(std::count_if(values.begin(), values.end(),
                              [&](double value) { return value >= bound; }));
}

static std::string chipsText(const Options &options,
                             const std::vector<double> &values) {
  std::string text;
  for (size_t t = 0; t < values.size(); ++t)
    text += format("chip %-4zu %.2f %%\n", t, values[t]);
  text += format("top-1     %.2f %% +- %.2f (%zu chips)\n", meanOf(values),
                 deviationOf(values), values.size());
  if (values.size() > 1) {
    Interval mean = meanInterval(values);
    text += format("mean      %.2f .. %.2f %% (95 %% confidence)\n", mean.lo,
                   mean.hi);
  }
  if (options.yield) {
    size_t count = passing(values, *options.yield);
    Interval share = shareInterval(count, values.size());
    text +=
        format("yield     %.1f %% of chips reach %.2f %% (95 %% confidence: "
               "%.1f .. %.1f %%)\n",
               100.0 * double(count) / double(values.size()), *options.yield,
               100 * share.lo, 100 * share.hi);
  }
  return text;
}

std::string cim::run::reportText(const Options &options,
                                 const Results &results) {
  std::string text = "device    " + options.device + "\n";
  text += format("samples   %lld\n", (long long)results.samples);
  std::vector<double> accuracies = results.accuracies();
  if (!accuracies.empty() && options.trials)
    text += chipsText(options, accuracies);
  else if (!accuracies.empty())
    text += format("top-1     %.2f %%\n", accuracies[0]);
  text += format("speed     %.0f images/s (%u thread%s)\n",
                 results.imagesPerSecond(), results.threads,
                 results.threads == 1 ? "" : "s");
  return text;
}

static std::string quoted(const std::string &text) {
  std::string out = "\"";
  for (unsigned char c : text) {
    if (c == '"' || c == '\\')
      out += '\\';
    if (c < 0x20)
      out += format("\\u%04x", c);
    else
      out += char(c);
  }
  return out + '"';
}

static std::string chipsJson(const Options &options,
                             const std::vector<double> &values) {
  std::string text = format(", \"top1_mean\": %.10g, \"top1_std\": %.10g",
                            meanOf(values), deviationOf(values));
  if (values.size() > 1) {
    Interval mean = meanInterval(values);
    text += format(", \"top1_mean_ci\": [%.10g, %.10g]", mean.lo, mean.hi);
  }
  if (options.yield) {
    size_t count = passing(values, *options.yield);
    Interval share = shareInterval(count, values.size());
    text += format(", \"yield\": %.10g, \"yield_bound\": %.10g, "
                   "\"yield_ci\": [%.10g, %.10g]",
                   100.0 * double(count) / double(values.size()),
                   *options.yield, 100 * share.lo, 100 * share.hi);
  }
  return text;
}

std::string cim::run::reportJson(const Options &options,
                                 const Results &results) {
  std::string text = "{\"device\": " + quoted(options.device) +
                     format(", \"samples\": %lld", (long long)results.samples);
  std::vector<double> accuracies = results.accuracies();
  if (!accuracies.empty())
    text += format(", \"top1\": %.10g", meanOf(accuracies));
  text += format(", \"images_per_s\": %.6g, \"seed\": %llu, \"threads\": %u",
                 results.imagesPerSecond(), (unsigned long long)options.seed,
                 results.threads);
  if (options.trials) {
    if (!accuracies.empty())
      text += chipsJson(options, accuracies);
    text += ", \"trials\": [";
    for (size_t t = 0; t < results.trials.size(); ++t) {
      const Trial &trial = results.trials[t];
      text += format("%s{\"trial\": %zu", t ? ", " : "", t);
      if (trial.top1)
        text += format(", \"top1\": %.10g", *trial.top1);
      text += format(", \"images_per_s\": %.6g}",
                     trial.seconds > 0 ? double(results.samples) / trial.seconds
                                       : 0.0);
    }
    text += "]";
  }
  return text + "}\n";
}
