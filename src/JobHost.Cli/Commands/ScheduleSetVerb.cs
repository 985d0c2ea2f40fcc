using System.CommandLine;
using JobHost.Cli.Screens;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary><c>schedule set</c>: makes or replaces one.</summary>
internal static class ScheduleSetVerb
{
    internal static Command Create()
    {
        var id = ScheduleVerbs.Id();
        var job = Verb.Job();
        var words = new Argument<string[]>("parameters")
        {
            Description = "Parameters of the job; each becomes JSON as the job's schema says",
            HelpName = "key=value",
            Arity = ArgumentArity.ZeroOrMore,
        };
        words.CompletionSources.Add(Complete.Parameter);
        var json = new Option<string>("--json") { Description = "Parameters as a JSON object", HelpName = "object" };
        var cron = new Option<string>("--cron")
        {
            Description = "Minute, hour, day, month, day of the week; or six fields with the seconds first; or @daily",
            HelpName = "expression",
        };
        var every = Verb.Seconds("--every", "The time between two runs, instead of an expression");
        var zone = new Option<string>("--zone")
        {
            Description = "The zone whose clock the expression is about. Default: UTC",
            HelpName = "id",
        };
        var overlap = Policy<OverlapPolicy>("--overlap", "When an earlier run has not ended. Default: queue");
        var misfire = Policy<MisfirePolicy>("--misfire", "What was due in a downtime. Default: fireOnce");
        var jitter = Verb.Seconds("--jitter", "Each run begins by up to so much later");
        var instant = new Option<string>("--instant-parameter")
        {
            Description = "The parameter of the job that gets the instant",
            HelpName = "name",
        };
        var description = new Option<string>("--description") { Description = "What it is for", HelpName = "text" };
        var labels = Verb.Labels("A label of its runs; may stand several times");
        var timeout = Verb.Seconds("--timeout", "When a run is stopped by every means, counted from its start");
        var command = new VerbCommand(
            "set",
            "Makes a schedule, or replaces what it is to do.",
            "jobhost schedule set nightly backup --cron '30 2 * * MON-FRI' --zone Europe/Berlin --overlap skip"
        )
        {
            id,
            job,
            words,
            json,
            cron,
            every,
            zone,
            overlap,
            misfire,
            jitter,
            instant,
            description,
            labels,
            timeout,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                var name = parsed.GetRequiredValue(job);
                var given = parsed.GetValue(words) ?? [];
                var schema =
                    given.Length == 0
                        ? default
                        : (await session.Client.GetJobAsync(name, cancellationToken)).ParametersSchema;
                var schedule = new PutSchedule
                {
                    Job = name,
                    Description = parsed.GetValue(description),
                    Cron = parsed.GetValue(cron),
                    EverySeconds = parsed.GetValue(every),
                    TimeZone = parsed.GetValue(zone),
                    Overlap = PolicyOf<OverlapPolicy>(parsed.GetValue(overlap)),
                    Misfire = PolicyOf<MisfirePolicy>(parsed.GetValue(misfire)),
                    JitterSeconds = parsed.GetValue(jitter),
                    InstantParameter = parsed.GetValue(instant),
                    Run = new()
                    {
                        Parameters = new ParameterSchema(schema).Read(parsed.GetValue(json), given),
                        Labels = Verb.LabelsOf(parsed.GetValue(labels)),
                        TimeoutSeconds = parsed.GetValue(timeout),
                    },
                };
                return ScheduleVerbs.Write(
                    session,
                    await session.Client.PutScheduleAsync(parsed.GetRequiredValue(id), schedule, cancellationToken)
                );
            }
        );
        return command;
    }

    // The first value is none that a server takes.
    private static IEnumerable<T> Known<T>()
        where T : struct, Enum => Enum.GetValues<T>().Skip(1);

    private static Option<string> Policy<T>(string name, string description)
        where T : struct, Enum
    {
        var option = new Option<string>(name) { Description = description, HelpName = "policy" };
        option.AcceptOnlyFromAmong([.. Known<T>().Select(Words.NameOf)]);
        return option;
    }

    private static T? PolicyOf<T>(string? name)
        where T : struct, Enum => name is null ? null : Known<T>().First(value => Words.NameOf(value) == name);
}
