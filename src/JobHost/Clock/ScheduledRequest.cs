using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using JobHost.Control;
using JobHost.Schedules;

namespace JobHost.Clock;

/// <summary>The start that a schedule asks for.</summary>
internal static class ScheduledRequest
{
    /// <summary>A start for an instant.</summary>
    internal static StartRequest Of(ScheduleSpec spec, DateTimeOffset dueAt) =>
        new()
        {
            Job = spec.Job,
            Parameters = ParametersFor(spec, dueAt),
            Labels =
                spec.Run.Labels?.ToImmutableSortedDictionary(StringComparer.Ordinal)
                ?? ImmutableSortedDictionary<string, string>.Empty,
            Priority = spec.Run.Priority,
            UniqueKey = spec.Run.UniqueKey,
            SoftTimeout = spec.Run.SoftTimeout,
            Timeout = spec.Run.Timeout,
            Retry = spec.Run.Retry,
            RequireGuarantee = spec.Run.RequireGuarantee,
            Ladder = spec.Run.Ladder is { } steps ? new(steps) : null,
        };

    /// <summary>The start for an instant of a schedule, under a key of its own: it happens once, whoever asks how often.</summary>
    internal static StartRequest For(Schedule schedule, DateTimeOffset dueAt) =>
        Of(schedule.Spec, dueAt) with
        {
            Schedule = new(schedule.Id, dueAt),
            IdempotencyKey = Key(schedule, "fire", Text(dueAt)),
            NotBefore = schedule.Spec.Jitter > TimeSpan.Zero ? dueAt + JitterOf(schedule, dueAt) : null,
        };

    /// <summary>The start that somebody triggers.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="key">The caller's idempotency key, or null.</param>
    /// <param name="now">When.</param>
    internal static StartRequest Triggered(Schedule schedule, string? key, DateTimeOffset now) =>
        Of(schedule.Spec, now) with
        {
            Schedule = new(schedule.Id, DueAt: null),
            IdempotencyKey = key is null ? null : Key(schedule, "trigger", key),
        };

    // No client's own key has a control character, so none is one of these.
    private static string Key(Schedule schedule, string kind, string rest) =>
        $"\u0001{kind}/{schedule.Incarnation:N}/{rest}";

    private static JsonElement? ParametersFor(ScheduleSpec spec, DateTimeOffset dueAt)
    {
        if (spec.InstantParameter is not { } name)
        {
            return spec.Run.Parameters;
        }
        var parameters = spec.Run.Parameters is { ValueKind: JsonValueKind.Object } given
            ? JsonObject.Create(given)!
            : [];
        parameters[name] = Text(dueAt);
        return JsonSerializer.SerializeToElement(parameters);
    }

    private static TimeSpan JitterOf(Schedule schedule, DateTimeOffset dueAt)
    {
        // The same each time that it is asked for, as a start that is repeated must be the same.
        var hash = SHA256.HashData(Encoding.ASCII.GetBytes(Key(schedule, "jitter", Text(dueAt))));
        var share = BinaryPrimitives.ReadUInt32LittleEndian(hash) / (double)uint.MaxValue;
        return schedule.Spec.Jitter * share;
    }

    private static string Text(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
}
