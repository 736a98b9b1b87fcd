# Broadway at the jobs of the benchmark. Reads a job a line ("noop 100000 10") and answers with the milliseconds it took.
# Takes Broadway from ERL_LIBS where it lies there, else from Hex.

unless Code.ensure_loaded?(Broadway) do
  Application.ensure_all_started(:mix)
  # Asks nobody whether Hex may be installed: there is nobody.
  Mix.shell(Mix.Shell.Process)

  try do
    Mix.install([{:broadway, "~> 1.3"}])
  rescue
    _ ->
      IO.puts(:stderr, "Elixir finds no Broadway: install Hex (mix local.hex), or have it in ERL_LIBS.")
      System.halt(1)
  end
end

{:ok, _} = Application.ensure_all_started(:broadway)
Logger.configure(level: :error)

defmodule Numbers do
  @moduledoc "0, 1, 2, … as they are asked for."
  use GenStage

  def init({total, acknowledger}), do: {:producer, {0, total, acknowledger}}

  def handle_demand(demand, {next, total, acknowledger}) do
    stop = min(next + demand, total)

    messages =
      for number <- next..(stop - 1)//1 do
        %Broadway.Message{data: number, acknowledger: acknowledger}
      end

    {:noreply, messages, {stop, total, acknowledger}}
  end
end

defmodule Tally do
  @moduledoc "Counts what is acknowledged, and says so when that is everything."
  @behaviour Broadway.Acknowledger

  @impl true
  def ack({owner, acknowledged, total}, successful, []) do
    if :atomics.add_get(acknowledged, 1, length(successful)) == total, do: send(owner, :done)
    :ok
  end
end

defmodule Noop do
  use Broadway

  @impl true
  def handle_message(_, message, sink) do
    :counters.add(sink, 1, message.data)
    message
  end
end

defmodule Batch do
  use Broadway

  @impl true
  def handle_message(_, message, _), do: Broadway.Message.put_batcher(message, :sink)

  @impl true
  def handle_batch(:sink, messages, _, sink) do
    :counters.add(sink, 1, Enum.reduce(messages, 0, &(&1.data + &2)))
    messages
  end
end

defmodule Wait do
  use Broadway

  @impl true
  def handle_message(_, message, sink) do
    Process.sleep(1)
    :counters.add(sink, 1, message.data)
    message
  end
end

defmodule Job do
  def run(kind, total, concurrency) do
    sink = :counters.new(1, [:write_concurrency])
    acknowledged = :atomics.new(1, [])
    acknowledger = {Tally, {self(), acknowledged, total}, nil}
    name = :"job#{System.unique_integer([:positive])}"

    batchers = if kind == Batch, do: [sink: [batch_size: 100, concurrency: 1]], else: []

    started = System.monotonic_time()

    {:ok, pipeline} =
      Broadway.start_link(kind,
        name: name,
        context: sink,
        producer: [module: {Numbers, {total, acknowledger}}, concurrency: 1],
        processors: [default: [concurrency: concurrency]],
        batchers: batchers
      )

    receive do
      :done -> :ok
    end

    spent = System.monotonic_time() - started
    Broadway.stop(pipeline)

    expected = div(total * (total - 1), 2)
    if :counters.get(sink, 1) != expected, do: raise("#{kind} lost something")
    System.convert_time_unit(spent, :native, :microsecond) / 1000
  end
end

jobs = %{"noop" => Noop, "batch" => Batch, "wait" => Wait}
version = fn app -> List.to_string(Application.spec(app, :vsn)) end

IO.puts("Broadway #{version.(:broadway)}, OTP #{System.otp_release()}")

for line <- IO.stream(:stdio, :line) do
  [kind, total, concurrency] = String.split(line)
  IO.puts(Job.run(Map.fetch!(jobs, kind), String.to_integer(total), String.to_integer(concurrency)))
end
