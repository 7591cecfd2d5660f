// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Report.h.

#include "Report.h"

#include <cmath>
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

std::optional<double> Results::mean() const {
  double sum = 0;
  for (const Trial &trial : trials) {
    if (!trial.top1)
      return std::nullopt;
    sum += *trial.top1;
  }
  return sum / double(trials.size());
}

std::optional<double> Results::deviation() const {
  std::optional<double> center = mean();
  if (!center)
    return std::nullopt;
  double sum = 0;
  for (const Trial &trial : trials)
    sum += (*trial.top1 - *center) * (*trial.top1 - *center);
  return trials.size() > 1 ? std::sqrt(sum / double(trials.size() - 1)) : 0.0;
}

std::string cim::run::reportText(const Options &options,
                                 const Results &results) {
  std::string text = "device    " + options.device + "\n";
  text += format("samples   %lld\n", (long long)results.samples);
  if (results.mean() && options.trials) {
    for (size_t t = 0; t < results.trials.size(); ++t)
      text += format("chip %-4zu %.2f %%\n", t, *results.trials[t].top1);
    text += format("top-1     %.2f %% +- %.2f (%zu chips)\n", *results.mean(),
                   *results.deviation(), results.trials.size());
  } else if (results.mean()) {
    text += format("top-1     %.2f %%\n", *results.mean());
  }
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

std::string cim::run::reportJson(const Options &options,
                                 const Results &results) {
  std::string text = "{\"device\": " + quoted(options.device) +
                     format(", \"samples\": %lld", (long long)results.samples);
  if (results.mean())
    text += format(", \"top1\": %.10g", *results.mean());
  text += format(", \"images_per_s\": %.6g, \"seed\": %llu, \"threads\": %u",
                 results.imagesPerSecond(), (unsigned long long)options.seed,
                 results.threads);
  if (options.trials) {
    if (results.mean())
      text += format(", \"top1_mean\": %.10g, \"top1_std\": %.10g",
                     *results.mean(), *results.deviation());
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
