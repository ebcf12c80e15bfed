using System.Diagnostics;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Commerce.Messaging.Tests;

/// <summary>A service in a process of its own, which a test kills, or which kills itself (SIGKILL, nothing is cleaned up) at the worst moment.</summary>
internal sealed class Victim : IAsyncDisposable
{
    public const string Argument = "victim";

    /// <summary>For a process to start, however busy the machine is, and to do what it is there for.</summary>
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(90);

    private readonly Process _process;

    private Victim(Process process) => _process = process;

    public bool HasExited => _process.HasExited;

    public static Victim Start(Moment moment, string service, string database, string broker)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { Path.Combine(AppContext.BaseDirectory, "Messaging.Tests.dll"), Argument, moment.ToString(), service, database, broker })
            start.ArgumentList.Add(argument);
        var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new Victim(process);
    }

    public void Kill() => _process.Kill();

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    /// <summary>What the process does.</summary>
    public static async Task<int> Run(string[] args)
    {
        var moment = Enum.Parse<Moment>(args[0]);
        var (service, database, broker) = (args[1], args[2], args[3]);
        await using var victim = TestService.Build(
            service, database, broker,
            messaging =>
            {
                if (service == "notifications")
                    messaging.Consume<OrderEffects>("orders", Delivery.InOrder);
                messaging.Recover<Caller>();
            },
            options => options.RecoveryLease = TimeSpan.FromSeconds(5),
            services => services.AddSingleton<Interference>().AddSingleton(new Fate(moment)));
        var bus = victim.Services.GetRequiredService<IBus>();
        using var afterPublish = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Commerce.Messaging",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.PropagationData,
            ActivityStopped = activity => DieAfter(activity),
        };
        if (moment == Moment.BetweenConfirmAndDelete)
            ActivitySource.AddActivityListener(afterPublish);
        if (moment == Moment.BetweenEffectAndAcknowledgement)
            bus.ConnectReceiveObserver(new DiesAfterConsume());
        await victim.Start();
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
        return 0;
    }

    // The relay's activity ends when the broker has confirmed.
    private static void DieAfter(Activity activity)
    {
        if (activity.OperationName == "outbox relay")
            Die();
    }

    private static void Die() => Process.GetCurrentProcess().Kill();

    internal sealed record Fate(Moment Moment);

    /// <summary>Calls the outside, which is a table here: what was called is known whatever becomes of the caller.</summary>
    internal sealed class Caller(NpgsqlDataSource outside, Fate fate) : IRecover
    {
        public string Kind => "call";

        public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
        {
            await outside.Execute("INSERT INTO calls (key, attempt) VALUES ($1, $2)", point.Key, attempt);
            if (fate.Moment == Moment.BetweenCallAndCommit)
                Die();
            return new RecoveryOutcome.Done(context =>
            {
                context.Tell(Make.Placed(point.Key));
                return Task.CompletedTask;
            });
        }
    }

    private sealed class DiesAfterConsume : IReceiveObserver
    {
        public Task PreReceive(ReceiveContext context) => Task.CompletedTask;

        public Task PostReceive(ReceiveContext context) => Task.CompletedTask;

        public Task PostConsume<T>(ConsumeContext<T> context, TimeSpan duration, string consumerType)
            where T : class
        {
            Die();
            return Task.CompletedTask;
        }

        public Task ConsumeFault<T>(ConsumeContext<T> context, TimeSpan duration, string consumerType, Exception exception)
            where T : class => Task.CompletedTask;

        public Task ReceiveFault(ReceiveContext context, Exception exception) => Task.CompletedTask;
    }
}

/// <summary>When a victim dies.</summary>
internal enum Moment
{
    WhenKilled,
    BetweenConfirmAndDelete,
    BetweenEffectAndAcknowledgement,
    BetweenCallAndCommit,
}
