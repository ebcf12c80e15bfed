using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Operations.V1;

namespace Commerce.Cli.Queues;

/// <summary>`./commerce queues` and `./commerce redrive`: what failed, and bringing it back once its cause is mended.</summary>
internal static class QueueCommands
{
    private const string Collection = "queues/";

    public static Command CreateQueues()
    {
        var json = new Option<bool>("--json") { Description = "Print a commerce.operations.v1.ListQueuesResponse as protobuf JSON." };
        var command = new Command("queues", "What waits in each service's queues, and what failed there.\n\nExample: ./commerce queues") { json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(api => List(api, parse.GetValue(json), cancellationToken), cancellationToken));
        return command;
    }

    public static Command CreateRedrive()
    {
        var queue = new Argument<string?>("QUEUE") { Description = "A queue, as './commerce queues' names it.", Arity = ArgumentArity.ZeroOrOne };
        var all = new Option<bool>("--all") { Description = "Every queue of every service." };
        var json = new Option<bool>("--json") { Description = "Print a commerce.operations.v1.RedriveQueueResponse as protobuf JSON for each queue, one a line." };
        var command = new Command("redrive", "Bring back what failed, once its cause is mended; safe to repeat.\n\nExample: ./commerce redrive notifications.orders") { queue, all, json };
        command.Validators.Add(result =>
        {
            if (result.GetValue(queue) is not null == result.GetValue(all))
                result.AddError("Name one QUEUE, or say --all.");
        });
        command.SetAction((parse, cancellationToken) => ApiCall.Run(api => Redrive(api, parse.GetValue(queue), parse.GetValue(json), cancellationToken), cancellationToken));
        return command;
    }

    private static async Task<int> List(SuiteApi api, bool json, CancellationToken cancellationToken)
    {
        var services = new ServiceQueues(api);
        var found = await services.List(cancellationToken);
        if (json)
            Print.JsonFigures(new ListQueuesResponse { Queues = { found.SelectMany(one => one.Queues) } });
        else
            QueueView.Write(found, TimeProvider.System.GetUtcNow());
        return await Complain(found) ?? Exit.Done;
    }

    private static async Task<int> Redrive(SuiteApi api, string? queue, bool json, CancellationToken cancellationToken)
    {
        var services = new ServiceQueues(api);
        var found = await services.List(cancellationToken);
        var known = found.SelectMany(one => one.Queues, (one, of) => (one.Service, of.Name)).ToList();
        var chosen = queue is null ? known : [.. known.Where(one => one.Name == Collection + queue || one.Name == queue)];
        if (queue is not null && chosen.Count == 0)
        {
            // It may be a queue of the service that does not answer.
            if (await Complain(found) is { } code)
                return code;
            await Console.Error.WriteLineAsync($"No service consumes a queue of this name. There are: {string.Join(", ", known.Select(one => one.Name[Collection.Length..]))}.");
            return Exit.NotFound;
        }

        foreach (var (service, name) in chosen)
        {
            var redriven = await services.Redrive(service, name, cancellationToken);
            if (json)
                Print.JsonLineFigures(redriven);
            else
                Console.Out.WriteLine($"{name[Collection.Length..]}: {redriven.ReturnedMessages} came back from the error queue, {redriven.DueFacts} set aside are tried again now");
        }

        return queue is null && await Complain(found) is { } missing ? missing : Exit.Done;
    }

    /// <summary>Null: every service answered; else the exit code of the worst, after a line for each that did not.</summary>
    private static async Task<int?> Complain(IReadOnlyList<QueuesOf> found)
    {
        var failed = found.Where(one => one.Error is not null).ToList();
        foreach (var one in failed)
            await Console.Error.WriteLineAsync($"{one.Service}: {ApiCall.Describe(one.Error!)}");
        return failed.Count == 0 ? null : failed.Max(one => Exit.Of(one.Error!.StatusCode));
    }
}
