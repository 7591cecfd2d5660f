// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gradient descent on the parameters of a program.
#include "Descent.h"
#include <numeric>

using namespace mlir;

namespace cim {

FailureOr<ArrayRef<float>>
ParametricNetwork::run(ArrayRef<int64_t> samples, ArrayRef<double> parameters,
                       MutableArrayRef<double> gradient) {
  SmallVector<const char *> from;
  for (auto [input, room] : llvm::zip_equal(inputs, gathered)) {
    room.resize(samples.size() * input.bytesPerSample);
    char *to = room.data();
    for (int64_t sample : samples)
      to = std::copy_n(input.data + sample * input.bytesPerSample,
                       input.bytesPerSample, to);
    from.push_back(room.data());
  }
  int64_t all = std::accumulate(counts.begin(), counts.end(), int64_t(0));
  theta.resize(samples.size() * all);
  losses.resize(samples.size());
  SmallVector<char *> to{reinterpret_cast<char *>(losses.data())};
  if (hasGradients)
    gradients.resize(theta.size());
  float *place = theta.data(), *own = gradients.data();
  for (int64_t count : counts) {
    from.push_back(reinterpret_cast<const char *>(place));
    if (hasGradients) {
      to.push_back(reinterpret_cast<char *>(own));
      own += samples.size() * count;
    }
    for (size_t i = 0; i < samples.size(); ++i)
      place = llvm::copy(parameters.take_front(count), place);
    parameters = parameters.drop_front(count);
  }
  if (failed(runner.run(samples.size(), from, to)))
    return failure();
  if (!hasGradients)
    return ArrayRef(losses);
  // In the order of the samples: nothing depends on the number of threads.
  const float *found = gradients.data();
  for (int64_t count : counts) {
    for (size_t i = 0; i < samples.size(); ++i)
      for (int64_t p = 0; p < count; ++p)
        gradient[p] += *found++;
    gradient = gradient.drop_front(count);
  }
  return ArrayRef(losses);
}

} // namespace cim
