using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Limits;

/// <summary>
/// Says whether there is more to do than can be done in time, by how long work waits for a thread: were a queue that stands shortened by
/// nobody, everybody would get an answer too late. Where work waits too long on the average, the pressure rises, and once calls are refused
/// it rises and falls until the wait is short: a queue that is only just borne makes each call wait as often as it changes threads. Its whole
/// number says how many kinds of calls are refused altogether, the least important first, and its fraction which part of the next kind; it
/// rises the more slowly the more important they are. Some of the most important always go through: what comes back shows when the load is over.
/// </summary>
internal sealed class LoadShedder : IHostedService, IDisposable
{
    private const double Gain = 0.15;
    private const double MostAtOnce = 0.2;
    private const double Most = 3.75;
    private const int SamplesInWindow = 10;

    // Of how many windows the average is that begins it: a pause of the machine is no overload.
    private const int Patience = 10;

    private static readonly int Few = 2 * Environment.ProcessorCount;

    private readonly LimitOptions _options;
    private readonly GatewayTelemetry _telemetry;
    private readonly ManualResetEventSlim _stop = new();
    private Thread? _sampler;
    private double _pressure;
    private TimeSpan _average;

    public LoadShedder(IOptions<LimitOptions> options, GatewayTelemetry telemetry) => (_options, _telemetry) = (options.Value, telemetry);

    /// <summary>0: nothing is refused.</summary>
    public double Pressure => Volatile.Read(ref _pressure);

    /// <summary>Whether a call is refused.</summary>
    public bool Sheds(Importance importance)
    {
        var pressure = Pressure;
        return pressure > (int)importance && pressure - (int)importance >= Random.Shared.NextDouble();
    }

    /// <summary>A window is over in which work waited so long for a thread, on the average.</summary>
    public void Observe(TimeSpan wait)
    {
        _average += (wait - _average) / Patience;
        if (_pressure == 0 && _average <= _options.ShedAfter)
            return;
        // What was asked for before anybody was refused has to be answered first: who gives up important calls meanwhile gives up too many.
        var most = MostAtOnce / (1 << (int)_pressure);
        var pressure = Math.Clamp(_pressure + Math.Min(most, Gain * ((wait / _options.ShedUntil) - 1)), 0, Most);
        Volatile.Write(ref _pressure, pressure);
        _telemetry.Pressure = pressure;
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // A thread of its own: one of the pool would wait in the very queue that is measured.
        _sampler = new Thread(Sample) { IsBackground = true, Name = "Load", Priority = ThreadPriority.AboveNormal };
        _sampler.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _stop.Set();
        _sampler?.Join();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        // A host that did not start is not stopped either.
        _stop.Set();
        _sampler?.Join();
        _stop.Dispose();
    }

    private void Sample()
    {
        var pause = _options.ShedWindow / SamplesInWindow;
        var probe = new Probe();
        while (true)
        {
            var (sum, count, began) = (TimeSpan.Zero, 0, TimeProvider.System.GetTimestamp());
            do
            {
                var wait = probe.Look();
                // Where nothing else waits, it is the machine that is busy with something else, and to refuse calls would shorten nothing.
                (sum, count) = (ThreadPool.PendingWorkItemCount > Few ? sum + wait : sum, count + 1);
                if (_stop.Wait(pause))
                    return;
            }
            while (TimeProvider.System.GetElapsedTime(began) < _options.ShedWindow);
            Observe(sum / count);
        }
    }

    /// <summary>A piece of work that only waits its turn.</summary>
    private sealed class Probe : IThreadPoolWorkItem
    {
        private long _queued;
        private long _ran;

        /// <summary>How long the last one waited, or the one that waits still has.</summary>
        public TimeSpan Look()
        {
            var (queued, ran) = (_queued, Interlocked.Read(ref _ran));
            if (queued != 0 && ran == 0)
                return TimeProvider.System.GetElapsedTime(queued);
            Interlocked.Exchange(ref _ran, 0);
            _queued = TimeProvider.System.GetTimestamp();
            // Behind everything that waits already.
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            return queued == 0 ? TimeSpan.Zero : TimeProvider.System.GetElapsedTime(queued, ran);
        }

        public void Execute() => Interlocked.Exchange(ref _ran, TimeProvider.System.GetTimestamp());
    }
}
