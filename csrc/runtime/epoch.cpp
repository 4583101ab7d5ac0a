#include "runtime/epoch.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/float_mode.h"
#include "base/rng.h"
#include "base/threading.h"

namespace ranvier {

Epoch::Epoch(std::shared_ptr<Program> full, std::shared_ptr<Program> tail, std::vector<Feed> feeds, std::int64_t rows,
             std::int64_t batch, std::optional<Shuffle> shuffle, std::vector<Sink> sinks)
    : full_(std::move(full)), tail_(std::move(tail)), feeds_(std::move(feeds)), rows_(rows), batch_(batch),
      steps_(batch > 0 ? rows / batch + (rows % batch != 0) : 0), sinks_(std::move(sinks)) {
  require(rows > 0 && batch > 0, "An epoch needs at least one row and a positive batch size.");
  for (Program* program : {full_.get(), tail_.get()})
    if (program && program->plan().inputs().size() != feeds_.size())
      fail(ErrorKind::kRuntime, "The program takes ", program->plan().inputs().size(), " inputs, got ", feeds_.size(), " arrays.");
  if (!shuffle) return;
  order_.resize(static_cast<std::size_t>(rows));
  measure_around(active_profiles(), full_->plan(), Around::kShuffle, 8.0 * static_cast<double>(rows),
                 [&] { shuffle_permutation(shuffle->key, shuffle->stream, rows, order_.data()); });
}

void Epoch::gather(Frame& frame, std::int64_t begin, std::int64_t count) {
  Backend& backend = frame.plan().backend();
  for (std::size_t i = 0; i < feeds_.size(); ++i) {
    const Feed& feed = feeds_[i];
    const Rows rows{feed.data, feed.dtype, feed.row_elements, order_.empty() ? nullptr : order_.data() + begin, begin, count};
    backend.gather(rows, frame.input(i), frame.plan().inputs()[i].type.dtype);
  }
}

void Epoch::collect(Frame& frame, std::int64_t begin, std::int64_t count) {
  Memory& memory = frame.plan().backend().memory();
  for (std::size_t i = 0; i < sinks_.size(); ++i)
    memory.read(static_cast<std::byte*>(sinks_[i].data) + begin * sinks_[i].row_bytes, frame.output(i),
                static_cast<std::size_t>(count * sinks_[i].row_bytes));
}

double Epoch::feed_bytes(const Plan& plan, std::int64_t count) const {
  double bytes = 0;
  for (std::size_t i = 0; i < feeds_.size(); ++i)
    bytes += static_cast<double>(count * feeds_[i].row_elements) *
             static_cast<double>(size_of(feeds_[i].dtype) + size_of(plan.inputs()[i].type.dtype));
  return bytes;
}

double Epoch::sink_bytes(std::int64_t count) const {
  double bytes = 0;
  for (const Sink& sink : sinks_) bytes += 2.0 * static_cast<double>(count * sink.row_bytes);
  return bytes;
}

std::int64_t Epoch::advance(std::int64_t max_steps, double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const std::int64_t until = max_steps < 0 ? steps_ : done_ + std::min(steps_ - done_, max_steps);
  const std::int64_t before = done_;
  // Without sinks the outputs are read later. The larger batch is taken first, so no two callers wait for each other.
  const Program::Use use = sinks_.empty() ? Program::Use::kFirst : Program::Use::kAny;
  const Program::Lease full = full_->lease(use);
  const Program::Lease tail = tail_ ? tail_->lease(use) : Program::Lease();
  const Profiles profiles = active_profiles();
  const FlushTiny flush_tiny;
  while (done_ < until) {
    const std::int64_t begin = done_ * batch_, count = std::min(batch_, rows_ - begin);
    Frame& frame = count == batch_ ? *full : *tail;
    const Plan& plan = frame.plan();
    if (profiles.empty()) [[likely]] gather(frame, begin, count);
    else measure_around(profiles, plan, Around::kGather, feed_bytes(plan, count), [&] { gather(frame, begin, count); });
    if (!frame.run(profiles)) break;
    if (sinks_.empty()) {
      last_ = count == batch_ ? full_.get() : tail_.get();
    } else {
      frame.readout(profiles);
      measure_around(profiles, plan, Around::kCollect, sink_bytes(count), [&] { collect(frame, begin, count); });
    }
    ++done_;
    if (interrupted()) break;
    if (seconds > 0 && std::chrono::duration<double>(Clock::now() - start).count() >= seconds) break;
  }
  return done_ - before;
}

}  // namespace ranvier
