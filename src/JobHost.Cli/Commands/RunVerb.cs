using System.CommandLine;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary><c>run</c>: starts a run, and stays with it where that is wanted.</summary>
internal static class RunVerb
{
    internal static Command Create()
    {
        var job = Verb.Job();
        var words = new Argument<string[]>("parameters")
        {
            Description = "Parameters of the job; each becomes JSON as the job's schema says",
            HelpName = "key=value",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var json = new Option<string>("--json") { Description = "Parameters as a JSON object", HelpName = "object" };
        var labels = Verb.Labels("A label; may stand several times");
        var priority = new Option<int?>("--priority")
        {
            Description = "-1000 to 1000, higher first",
            HelpName = "number",
        };
        var timeout = Verb.Seconds("--timeout", "When the run is stopped by every means, counted from its start");
        var uniqueKey = new Option<string>("--unique-key")
        {
            Description = "No two unfinished runs of the job have the same",
            HelpName = "text",
        };
        var idempotencyKey = new Option<string>("--idempotency-key")
        {
            Description = "Starts with the same key are one start. Default: a new one",
            HelpName = "text",
        };
        var follow = new Option<bool>("--follow", "-f")
        {
            Description = "Shows what the run prints, until it has ended",
        };
        var wait = new Option<bool>("--wait", "-w")
        {
            Description = "Waits until the run has ended; without, prints its id",
        };
        var command = new Command(
            "run",
            "Starts a run. With --follow or --wait stays with it: Ctrl-C cancels it, once more kills it, a third time leaves it; the exit code mirrors its end."
        )
        {
            job,
            words,
            json,
            labels,
            priority,
            timeout,
            uniqueKey,
            idempotencyKey,
            follow,
            wait,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                // From here on: whoever presses Ctrl-C while the start is under way means the run.
                using var interrupts = parsed.GetValue(follow) || parsed.GetValue(wait) ? Interrupts.Take() : null;
                var name = parsed.GetRequiredValue(job);
                var given = parsed.GetValue(words) ?? [];
                var schema =
                    given.Length == 0
                        ? default
                        : (await session.Client.GetJobAsync(name, cancellationToken)).ParametersSchema;
                var start = new StartRun
                {
                    Parameters = new ParameterSchema(schema).Read(parsed.GetValue(json), given),
                    Labels = Verb.LabelsOf(parsed.GetValue(labels)),
                    Priority = parsed.GetValue(priority),
                    TimeoutSeconds = parsed.GetValue(timeout),
                    UniqueKey = parsed.GetValue(uniqueKey),
                };
                var run = await session.Client.StartAsync(
                    name,
                    start,
                    parsed.GetValue(idempotencyKey),
                    wait: null,
                    cancellationToken
                );
                if (interrupts is not null)
                {
                    return await new RunFollower(session, run, parsed.GetValue(follow)).StayAsync(interrupts);
                }
                if (session.IsJson)
                {
                    session.Screen.WriteJson(run, CliJson.Legible.Run);
                }
                else
                {
                    session.Screen.WriteLine($"{run.Id}");
                }
                return ExitCodes.Done;
            }
        );
        return command;
    }
}
