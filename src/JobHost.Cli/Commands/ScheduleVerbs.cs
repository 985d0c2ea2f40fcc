using System.CommandLine;
using JobHost.Cli.Screens;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary><c>schedule</c>: what starts runs by itself.</summary>
internal static class ScheduleVerbs
{
    internal static Command Create() =>
        new VerbCommand("schedule", "Lists and changes what starts runs by itself.", "jobhost schedule list")
        {
            CreateList(),
            CreateShow(),
            ScheduleSetVerb.Create(),
            CreateDelete(),
            CreatePause(),
            CreateResume(),
            CreateTrigger(),
            CreateNext(),
        };

    internal static Argument<string> Id()
    {
        var id = new Argument<string>("schedule") { Description = "The id of a schedule", HelpName = "SCHEDULE" };
        id.CompletionSources.Add(Complete.Schedule);
        return id;
    }

    /// <summary>Tells of a schedule that was made or changed.</summary>
    internal static int Write(Session session, Schedule schedule)
    {
        if (session.IsJson)
        {
            session.Screen.WriteJson(schedule, CliJson.Legible.Schedule);
        }
        else
        {
            ScheduleCard.Write(session.Screen, schedule);
        }
        return ExitCodes.Done;
    }

    private static VerbCommand CreateList()
    {
        var job = Verb.JobOption("Only of this job");
        var command = new VerbCommand("list", "Lists the schedules.", "jobhost schedule list --job backup") { job };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                var schedules = new List<Schedule>();
                await foreach (
                    var schedule in session.Client.EnumerateSchedulesAsync(parsed.GetValue(job), cancellationToken)
                )
                {
                    schedules.Add(schedule);
                }
                if (session.IsJson)
                {
                    session.Screen.WriteJson(schedules, CliJson.Legible.IReadOnlyListSchedule);
                    return ExitCodes.Done;
                }
                var listing = new Listing("SCHEDULE", "JOB", "DUE", "NEXT", "LAST");
                foreach (var schedule in schedules)
                {
                    listing.Add(
                        schedule.Id,
                        schedule.Job,
                        ScheduleCard.Due(schedule),
                        schedule.Paused is not null ? "paused"
                            : schedule.NextAt is { } next ? Words.Instant(next)
                            : "never",
                        schedule.LastFire is { } last ? Words.Instant(last.DueAt) : ""
                    );
                }
                session.Screen.Write(listing.ToTable(session.Screen, session.Screen.Width));
                return ExitCodes.Done;
            }
        );
        return command;
    }

    private static VerbCommand CreateShow()
    {
        var id = Id();
        var command = new VerbCommand("show", "Shows a schedule.", "jobhost schedule show nightly") { id };
        command.Does(
            async (parsed, session, cancellationToken) =>
                Write(session, await session.Client.GetScheduleAsync(parsed.GetRequiredValue(id), cancellationToken))
        );
        return command;
    }

    private static VerbCommand CreateDelete()
    {
        var id = Id();
        var command = new VerbCommand(
            "delete",
            "Removes a schedule. Its runs are left alone.",
            "jobhost schedule delete nightly"
        )
        {
            id,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                await session.Client.DeleteScheduleAsync(parsed.GetRequiredValue(id), cancellationToken);
                return ExitCodes.Done;
            }
        );
        return command;
    }

    private static VerbCommand CreatePause()
    {
        var id = Id();
        var reason = Verb.Reason();
        var command = new VerbCommand(
            "pause",
            "Starts nothing from a schedule until it is resumed.",
            "jobhost schedule pause nightly --reason 'the archive is full'"
        )
        {
            id,
            reason,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
                Write(
                    session,
                    await session.Client.PauseScheduleAsync(
                        parsed.GetRequiredValue(id),
                        parsed.GetValue(reason),
                        cancellationToken
                    )
                )
        );
        return command;
    }

    private static VerbCommand CreateResume()
    {
        var id = Id();
        var command = new VerbCommand(
            "resume",
            "Goes on with what is due from now on.",
            "jobhost schedule resume nightly"
        )
        {
            id,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
                Write(session, await session.Client.ResumeScheduleAsync(parsed.GetRequiredValue(id), cancellationToken))
        );
        return command;
    }

    private static VerbCommand CreateTrigger()
    {
        var id = Id();
        var command = new VerbCommand(
            "trigger",
            "Starts a run of a schedule now, and prints its id.",
            "jobhost schedule trigger nightly"
        )
        {
            id,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                var run = await session.Client.TriggerScheduleAsync(
                    parsed.GetRequiredValue(id),
                    cancellationToken: cancellationToken
                );
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

    private static VerbCommand CreateNext()
    {
        var id = Id();
        var count = new Option<int?>("--count", "-n")
        {
            Description = "How many, 1 to 100. Default: 10",
            HelpName = "count",
        };
        var command = new VerbCommand(
            "next",
            "Tells when a schedule is due next.",
            "jobhost schedule next nightly --count 3"
        )
        {
            id,
            count,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                var instants = await session.Client.GetNextInstantsAsync(
                    parsed.GetRequiredValue(id),
                    parsed.GetValue(count),
                    cancellationToken
                );
                if (session.IsJson)
                {
                    session.Screen.WriteJson(instants, CliJson.Legible.IReadOnlyListScheduleInstant);
                    return ExitCodes.Done;
                }
                foreach (var instant in instants)
                {
                    session.Screen.WriteLine($"{Words.Instant(instant.At)}  {Words.Clean(instant.Local)}");
                }
                return ExitCodes.Done;
            }
        );
        return command;
    }
}
