using System.CommandLine;
using Commerce.Cli;

// Stopping a suite in order takes longer than the two seconds that are the default.
return await Commands.Run(args, new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(120) });
