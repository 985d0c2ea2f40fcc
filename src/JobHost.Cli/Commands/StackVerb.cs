using System.CommandLine;
using System.Globalization;
using JobHost.Cli.Screens;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary><c>stack</c>: where a run is, or was.</summary>
internal static class StackVerb
{
    internal static Command Create()
    {
        var which = Verb.Run();
        var autopsy = new Option<bool>("--autopsy") { Description = "Where it was before it was forced" };
        var files = new Option<bool>("--files") { Description = "Also the files that its processes have open" };
        var command = new VerbCommand(
            "stack",
            "Shows where a run is: its processes, and its managed threads, the innermost frame first.",
            "jobhost stack 1f3a9c07"
        )
        {
            which,
            autopsy,
            files,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                var id = await RunFinder.FindAsync(session.Client, parsed.GetRequiredValue(which), cancellationToken);
                var stack = parsed.GetValue(autopsy)
                    ? await session.Client.FindAutopsyAsync(id, cancellationToken)
                        ?? throw new UsageException("Where the run was before it was forced was not kept.")
                    : await session.Client.GetStackAsync(id, cancellationToken);
                if (session.IsJson)
                {
                    session.Screen.WriteJson(stack, CliJson.Legible.Stack);
                }
                else
                {
                    Write(session.Screen, stack, parsed.GetValue(files));
                }
                return ExitCodes.Done;
            }
        );
        return command;
    }

    private static void Write(Screen screen, Stack stack, bool withFiles)
    {
        screen.WriteLine($"At {Words.Instant(stack.At)}, attempt {stack.Attempt}, {stack.ProcessCount} processes.");
        if (stack.Why is { } why)
        {
            WriteIndented(screen, why, 0);
        }
        if (stack.Processes.Count > 0)
        {
            screen.WriteLine();
            screen.Write(Processes(stack.Processes).ToTable(screen, screen.Width));
        }
        foreach (var process in withFiles ? stack.Processes : [])
        {
            foreach (var file in process.OpenFiles)
            {
                WriteIndented(screen, $"{process.Pid} {file.Descriptor} {file.Target}", 2);
            }
        }
        foreach (var thread in stack.Managed ?? [])
        {
            screen.WriteLine();
            var waits = thread.WaitsFor is { } what ? $", waits for {what}" : "";
            WriteIndented(screen, $"thread {thread.ManagedId} {thread.Name} of {thread.Pid}{waits}", 0);
            foreach (var frame in thread.Frames)
            {
                WriteIndented(screen, frame, 2);
            }
        }
    }

    private static Listing Processes(IReadOnlyList<StackProcess> processes)
    {
        var listing = new Listing("PID", "PARENT", "STATE", "CPU", "MEMORY", "THREADS", "COMMAND", "WAITS FOR");
        foreach (var process in processes)
        {
            listing.Add(
                process.Pid.ToString(CultureInfo.InvariantCulture),
                process.Parent.ToString(CultureInfo.InvariantCulture),
                process.State,
                Words.Duration(TimeSpan.FromSeconds(process.CpuSeconds)),
                Words.Size(process.ResidentBytes),
                process.Threads.ToString(CultureInfo.InvariantCulture),
                process.Command,
                process.WaitsFor
            );
        }
        return listing;
    }

    private static void WriteIndented(Screen screen, string text, int indent)
    {
        var isFirst = true;
        const int hanging = 2;
        foreach (var line in Printable.Wrap(Words.Clean(text), Math.Max(20, screen.Width - indent - hanging)))
        {
            screen.WriteLine(new string(' ', indent) + line);
            indent += isFirst ? hanging : 0;
            isFirst = false;
        }
    }
}
