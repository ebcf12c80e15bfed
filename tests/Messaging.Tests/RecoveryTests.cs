using System.Collections.Concurrent;
using Commerce.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Commerce.Messaging.Tests;

public sealed class RecoveryTests : MessagingTest
{
    [Fact]
    public async Task Killed_between_the_outside_call_and_the_commit_the_call_is_made_again_with_the_same_key()
    {
        await using var database = NpgsqlDataSource.Create(OrdersDatabase.ConnectionString);
        await using var orders = Orders(messaging: m => m.Recover<Victim.Caller>(), options: o => o.RecoveryLease = TimeSpan.FromSeconds(1), services: s => s.AddSingleton(new Victim.Fate(Moment.WhenKilled)));
        await Intend(orders, new RecoveryPoint("call", "ORD-1"));
        await using (var victim = Victim.Start(Moment.BetweenCallAndCommit, "orders", OrdersDatabase.ConnectionString, Broker.ConnectionString))
            await Eventually.True(() => victim.HasExited, Victim.Bound);
        Assert.Equal(1, await database.Count("calls"));
        Assert.Equal(1, await database.Count("messaging.recovery_points"));

        await orders.Start();

        await Eventually.True(async () => await database.Count("messaging.recovery_points") == 0);
        Assert.Equal(2, await database.Scalar<long>("SELECT count(*) FROM calls WHERE key = 'ORD-1'"));
        Assert.Equal(2, await database.Scalar<int>("SELECT max(attempt) FROM calls"));
    }

    [Fact]
    public async Task Never_two_handlers_at_a_time_even_where_one_takes_longer_than_the_lease()
    {
        var watch = new Watch();
        Action<MessagingOptions> shortLease = o => o.RecoveryLease = TimeSpan.FromSeconds(2);
        await using var one = Orders(messaging: m => m.Recover<Slow>(), options: shortLease, services: s => s.AddSingleton(watch));
        await using var other = Orders(messaging: m => m.Recover<Slow>(), options: shortLease, services: s => s.AddSingleton(watch));
        await one.Start();
        await other.Start();

        await Intend(one, [.. Enumerable.Range(0, 20).Select(i => new RecoveryPoint("slow", $"P{i}"))]);

        await Eventually.True(async () => await one.Database.Count("messaging.recovery_points") == 0);
        Assert.Equal(0, watch.Overlaps);
        Assert.Equal(20, watch.Runs);
    }

    [Fact]
    public async Task A_renewal_that_hangs_ends_the_handler_before_its_lease_ends()
    {
        var hung = new Hanging();
        await using var orders = Orders(
            options: o => o.RecoveryLease = TimeSpan.FromSeconds(12), services: s => s.AddScoped<IRecover>(_ => hung));
        await orders.Start();
        await Intend(orders, new RecoveryPoint("hanging", "P"));
        await hung.Running.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);

        // The database takes the renewal's statement, and neither answers nor fails.
        await using var connection = await orders.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("LOCK TABLE messaging.recovery_points IN ACCESS EXCLUSIVE MODE", connection, transaction))
            await command.ExecuteNonQueryAsync();
        await using var read = new NpgsqlCommand("SELECT leased_until FROM messaging.recovery_points", connection, transaction);
        var leasedUntil = new DateTimeOffset((DateTime)(await read.ExecuteScalarAsync())!);

        var endedAt = await hung.Ended.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        Assert.True(endedAt < leasedUntil, $"It went on until {endedAt:O}, with a lease until {leasedUntil:O}.");
    }

    [Fact]
    public async Task An_exception_keeps_the_point_with_its_error_and_it_is_tried_again()
    {
        var watch = new Watch { FailuresLeft = 2 };
        await using var orders = Orders(messaging: m => m.Recover<Failing>(), services: s => s.AddSingleton(watch));
        await orders.Start();
        await Intend(orders, new RecoveryPoint("failing", "P"));
        await Eventually.True(async () =>
            await orders.Database.Scalar<string>("SELECT coalesce((SELECT last_error FROM messaging.recovery_points), '')") == "InvalidOperationException: not today");
        await Eventually.True(async () => await orders.Database.Count("messaging.recovery_points") == 0);
        Assert.Equal([1, 2, 3], watch.Attempts);
    }

    [Fact]
    public async Task Again_runs_its_commit_and_comes_back_at_its_time_and_done_may_intend_the_same_key_anew()
    {
        await using var orders = Orders(messaging: m => m.Recover<Steps>());
        await orders.Start();
        await Intend(orders, new RecoveryPoint("steps", "P", "first"));
        await Eventually.True(async () => await orders.Database.Count("effects") == 3);
        Assert.Equal([1, 2, 3], (await orders.Database.ReadEffects())["P"]);
        await Eventually.True(async () => await orders.Database.Count("messaging.recovery_points") == 0);
    }

    [Fact]
    public async Task A_point_that_was_removed_is_not_carried_out_when_due()
    {
        var watch = new Watch();
        await using var orders = Orders(messaging: m => m.Recover<Slow>(), services: s => s.AddSingleton(watch));
        var due = TimeProvider.System.GetUtcNow().AddSeconds(1);
        await Intend(orders, new RecoveryPoint("slow", "removed", DueAt: due), new RecoveryPoint("slow", "kept", DueAt: due));
        await using (var batch = orders.Database.CreateBatch())
        {
            RecoveryPoints.Remove(batch, "slow", "removed");
            await batch.ExecuteNonQueryAsync();
        }

        await orders.Start();
        await Eventually.True(async () => await orders.Database.Count("messaging.recovery_points") == 0);
        Assert.True(TimeProvider.System.GetUtcNow() >= due);
        Assert.Equal(1, watch.Runs);
    }

    private static async Task Intend(TestService service, params RecoveryPoint[] intended)
    {
        var points = service.Services.GetRequiredService<RecoveryPoints>();
        await using var batch = service.Database.CreateBatch();
        foreach (var point in intended)
            points.Add(batch, point);
        await batch.ExecuteNonQueryAsync();
        points.Wake();
    }

    private sealed class Watch
    {
        private readonly ConcurrentDictionary<string, int> _running = new();
        private int _overlaps;
        private int _runs;

        public int Overlaps => _overlaps;

        public int Runs => _runs;

        public int FailuresLeft { get; set; }

        public ConcurrentQueue<int> Attempts { get; } = [];

        public async Task Run(string key, Func<Task> work)
        {
            if (_running.AddOrUpdate(key, 1, (_, n) => n + 1) > 1)
                Interlocked.Increment(ref _overlaps);
            await work();
            _running.AddOrUpdate(key, 0, (_, n) => n - 1);
            Interlocked.Increment(ref _runs);
        }
    }

    /// <summary>Takes two leases' time, which is what it is about; nothing waits for it but the condition.</summary>
    private sealed class Slow(Watch watch) : IRecover
    {
        public string Kind => "slow";

        public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
        {
            await watch.Run(point.Key, () => Task.Delay(TimeSpan.FromSeconds(4), TimeProvider.System, cancellationToken));
            return new RecoveryOutcome.Done();
        }
    }

    /// <summary>Never comes to an end of its own.</summary>
    private sealed class Hanging : IRecover
    {
        public TaskCompletionSource Running { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<DateTimeOffset> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Kind => "hanging";

        public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
        {
            Running.TrySetResult();
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }
            finally
            {
                // Not by a registration: the end of the delay disposes of it, and may do so before it was called.
                Ended.TrySetResult(TimeProvider.System.GetUtcNow());
            }

            return new RecoveryOutcome.Done();
        }
    }

    private sealed class Failing(Watch watch) : IRecover
    {
        public string Kind => "failing";

        public Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
        {
            watch.Attempts.Enqueue(attempt);
            if (watch.FailuresLeft-- > 0)
                throw new InvalidOperationException("not today");
            return Task.FromResult<RecoveryOutcome>(new RecoveryOutcome.Done());
        }
    }

    private sealed class Steps(TimeProvider time) : IRecover
    {
        public string Kind => "steps";

        public Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken) =>
            Task.FromResult<RecoveryOutcome>((point.Payload, attempt) switch
            {
                ("first", 1) => new RecoveryOutcome.Again(time.GetUtcNow().AddMilliseconds(50), "not yet", context => Leave(context, 1)),
                ("first", _) => new RecoveryOutcome.Done(async context =>
                {
                    await Leave(context, 2);
                    context.Intend(new RecoveryPoint("steps", "P", "second"));
                }),
                _ => new RecoveryOutcome.Done(context => Leave(context, 3)),
            });

        private static Task Leave(RecoveryContext context, long n)
        {
            context.Batch.BatchCommands.Add(new NpgsqlBatchCommand("INSERT INTO effects (key, version, fact) VALUES ('P', $1, '')")
            {
                Parameters = { new NpgsqlParameter { Value = n } },
            });
            return Task.CompletedTask;
        }
    }
}
