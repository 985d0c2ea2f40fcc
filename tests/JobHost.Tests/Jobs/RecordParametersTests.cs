using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using JobHost.Tests.Support;
using JobHost.Worker.Bodies;

namespace JobHost.Tests.Jobs;

/// <summary>Parameters that a job takes as one record.</summary>
public sealed class RecordParametersTests
{
    private const string Good = """{"path":"/a","count":3}""";

    private static readonly JobBody Body = Some.Body<CopyJob>();

    [Fact]
    public void Good_parameters_become_the_record_with_its_defaults()
    {
        var copy = Assert.IsType<Copy>(Read(Body, Good));
        Assert.Equal(new Copy("/a", 3), copy);
        Assert.Equal(Mode.FastMode, copy.Mode);
    }

    [Fact]
    public void Everything_can_be_given()
    {
        var copy = Assert.IsType<Copy>(
            Read(
                Body,
                """
                {"path":"/a","count":10,"mode":"slowMode","note":null,"limit":5,"target":{"host":"h","ports":[1,2]},
                 "others":[{"host":"o"}],"named":{"x":{"host":"n"}},"rows":[[{"host":"r"}]]}
                """
            )
        );
        Assert.Equal(Mode.SlowMode, copy.Mode);
        Assert.Equal([1, 2], copy.Target!.Ports!);
        Assert.Equal("o", copy.Others![0].Host);
    }

    [Theory]
    [InlineData("[]", "")]
    [InlineData("5", "")]
    [InlineData("\"x\"", "")]
    // Required.
    [InlineData("{}", "count,path")]
    [InlineData("""{"count":3}""", "path")]
    [InlineData("""{"path":"/a","count":3,"target":{}}""", "target.host")]
    // Unknown, misspelt, twice.
    [InlineData("""{"path":"/a","count":3,"nope":1}""", "nope")]
    [InlineData("""{"Path":"/a","path":"/a","count":3}""", "Path")]
    [InlineData("""{"path":"/a","count":3,"count":3}""", "count")]
    [InlineData("""{"path":"/a","count":3,"target":{"host":"h","nope":1}}""", "target.nope")]
    // Null.
    [InlineData("""{"path":null,"count":3}""", "path")]
    [InlineData("""{"path":"/a","count":null}""", "count")]
    [InlineData("""{"path":"/a","count":3,"target":{"host":null}}""", "target.host")]
    // Wrong types.
    [InlineData("""{"path":5,"count":3}""", "path")]
    [InlineData("""{"path":"/a","count":"3"}""", "count")]
    [InlineData("""{"path":"/a","count":3.5}""", "count")]
    [InlineData("""{"path":"/a","count":true}""", "count")]
    [InlineData("""{"path":"/a","count":3,"limit":"x"}""", "limit")]
    [InlineData("""{"path":"/a","count":3,"target":[]}""", "target")]
    [InlineData("""{"path":"/a","count":3,"target":{"host":"h","ports":[1,"2"]}}""", "target.ports[1]")]
    // Numbers that no number of .NET can hold.
    [InlineData("""{"path":"/a","count":99999999999999999999}""", "count")]
    [InlineData("""{"path":"/a","count":1e400}""", "count")]
    [InlineData("""{"path":"/a","count":-2147483649}""", "count")]
    // Enums.
    [InlineData("""{"path":"/a","count":3,"mode":"sideways"}""", "mode")]
    [InlineData("""{"path":"/a","count":3,"mode":1}""", "mode")]
    [InlineData("""{"path":"/a","count":3,"mode":"1"}""", "mode")]
    // Annotations, on the parameters of the record, at any depth.
    [InlineData("""{"path":"","count":3}""", "path")]
    [InlineData("""{"path":"relative","count":3}""", "path")]
    [InlineData("""{"path":"/a\n","count":3}""", "path")]
    [InlineData("""{"path":"/a","count":0}""", "count")]
    [InlineData("""{"path":"/a","count":11}""", "count")]
    [InlineData("""{"path":"relative","count":11}""", "count,path")]
    [InlineData("""{"path":"/a","count":3,"target":{"host":"much too long"}}""", "target.host")]
    [InlineData("""{"path":"/a","count":3,"others":[{"host":"h"},{"host":""}]}""", "others[1].host")]
    [InlineData("""{"path":"/a","count":3,"rows":[[{"host":"h"},{"host":""}]]}""", "rows[0][1].host")]
    [InlineData("""{"path":"/a","count":3,"named":{"x":{"host":""}}}""", "named.x.host")]
    // The record's own rule.
    [InlineData("""{"path":"/forbidden","count":3}""", "path")]
    // Text that is no text.
    [InlineData("""{"path":"\ud800","count":3}""", "path")]
    public void A_bad_value_is_refused_by_the_name_of_its_field(string json, string fields) =>
        Assert.Equal(fields, string.Join(',', Errors(Body, json).Keys));

    [Fact]
    public void A_name_that_is_no_text_is_refused() =>
        Assert.NotEmpty(Errors(Body, """{"path":"/a","count":3,"\ud800":1}"""));

    [Theory]
    [InlineData("""{"path":"/a","count":3,"limit":"x"}""", "limit", "wrong type")]
    [InlineData("""{"path":"/a","count":null}""", "count", "wrong type")]
    [InlineData("""{"path":null,"count":3}""", "path", "may not be null")]
    [InlineData("""{"path":"/a","count":3,"count":3}""", "count", "given twice")]
    [InlineData("""{"path":"/a","count":3,"nope":1}""", "nope", "no such parameter")]
    [InlineData("""{"path":"/a"}""", "count", "required")]
    public void The_message_says_what_is_wrong_in_the_callers_words(string json, string field, string words)
    {
        var message = Assert.Single(Errors(Body, json)[field]);
        Assert.Contains(words, message, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", message, StringComparison.Ordinal);
        Assert.DoesNotContain("JobHost.Tests", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"nullable":"x","duplicates":1,"type":"a"}""", "nullable")]
    [InlineData("""{"nullable":1,"duplicates":"x","type":"a"}""", "duplicates")]
    public void The_name_of_a_field_does_not_change_what_is_said_of_it(string json, string field) =>
        Assert.Contains("wrong type", Errors(Some.Body<TrickyJob>(), json)[field][0], StringComparison.Ordinal);

    [Fact]
    public void No_parameters_at_all_are_an_empty_object()
    {
        var none = Some.Body<NoParametersJob>();
        Assert.IsType<NoParameters>(Read(none, "{}"));
        Assert.IsType<NoParameters>(Read(none, "null"));
        Assert.IsType<NoParameters>(none.ReadParameters(default, out var errors));
        Assert.Empty(errors);
        Assert.Equal(["x"], Errors(none, """{"x":1}""").Keys);
    }

    [Fact]
    public void A_pattern_that_takes_too_long_is_a_refusal_and_no_crash()
    {
        var errors = Errors(Some.Body<SlowPatternJob>(), $$"""{"text":"{{new string('a', 40)}}!"}""");
        Assert.Equal(["text"], errors.Keys);
    }

    [Fact]
    public void Depth_beyond_the_bound_is_refused()
    {
        var deep = new string('[', 60) + new string(']', 60);
        Assert.NotEmpty(Errors(Body, $$"""{"path":"/a","count":3,"others":{{deep}}}"""));
    }

    [Fact]
    public void The_schema_says_what_the_record_says()
    {
        var schema = Body.ParametersSchema;
        Assert.Equal("object", schema["type"]!.GetValue<string>());
        Assert.False(schema["additionalProperties"]!.GetValue<bool>());
        Assert.Equal(["path", "count"], schema["required"]!.AsArray().Select(name => name!.GetValue<string>()));
        var path = schema["properties"]!["path"]!;
        Assert.Equal("string", path["type"]!.GetValue<string>());
        Assert.Equal("Where from.", path["description"]!.GetValue<string>());
        Assert.Equal("^(?:/.*)$", path["pattern"]!.GetValue<string>());
        var count = schema["properties"]!["count"]!;
        Assert.Equal("integer", count["type"]!.GetValue<string>());
        Assert.Equal("1", count["minimum"]!.ToJsonString());
        Assert.Equal("10", count["maximum"]!.ToJsonString());
        Assert.Equal(
            ["fastMode", "slowMode"],
            schema["properties"]!["mode"]!["enum"]!.AsArray().Select(name => name!.GetValue<string>())
        );
        Assert.Equal("fastMode", schema["properties"]!["mode"]!["default"]!.GetValue<string>());
        Assert.Equal(5, schema["properties"]!["target"]!["properties"]!["host"]!["maxLength"]!.GetValue<int>());
    }

    [Fact]
    public void Any_range_that_can_be_declared_can_be_described()
    {
        var properties = Some.Body<RangesJob>().ParametersSchema["properties"]!;
        Assert.Equal(0, properties["open"]!["minimum"]!.GetValue<double>());
        Assert.Equal(0, properties["endless"]!["minimum"]!.GetValue<double>());
        Assert.Null(properties["endless"]!["maximum"]);
        Assert.Equal(0, properties["exclusive"]!["exclusiveMinimum"]!.GetValue<int>());
        Assert.Equal(1, properties["exclusive"]!["maximum"]!.GetValue<int>());
        Assert.Null(properties["span"]!["minimum"]);
        Assert.Equal([1, 2], properties["oneOf"]!["enum"]!.AsArray().Select(value => value!.GetValue<int>()));
        Assert.Equal(2, properties["list"]!["maxItems"]!.GetValue<int>());
    }

    private static object? Read(JobBody body, string json)
    {
        var value = body.ReadParameters(Some.Json(json), out var errors);
        Assert.Empty(errors);
        return value;
    }

    private static IReadOnlyDictionary<string, string[]> Errors(JobBody body, string json)
    {
        Assert.Null(body.ReadParameters(JsonDocument.Parse(json).RootElement, out var errors));
        return errors;
    }

    public enum Mode
    {
        FastMode,
        SlowMode,
    }

    public sealed record Target([StringLength(5, MinimumLength = 1)] string Host, int[]? Ports = null);

    public sealed record Copy(
        [Description("Where from.")] [RegularExpression("/.*")] [Required] string Path,
        [Range(1, 10)] int Count,
        Mode Mode = Mode.FastMode,
        string? Note = "none",
        int? Limit = null,
        Target? Target = null,
        List<Target>? Others = null,
        List<List<Target>>? Rows = null,
        Dictionary<string, Target>? Named = null
    ) : IValidatableObject
    {
        public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
        {
            if (Path == "/forbidden")
            {
                yield return new("That one not.", [nameof(Path)]);
            }
        }
    }

    public sealed record Tricky(int? Nullable, int Duplicates, string Type);

    public sealed record SlowPattern([RegularExpression("(a+)+b", MatchTimeoutInMilliseconds = 50)] string Text);

    public sealed record Ranges(
        [Range(0, double.MaxValue)] double Open = 0,
        [Range(0, double.PositiveInfinity)] double Endless = 0,
        [Range(0, 1, MinimumIsExclusive = true)] int Exclusive = 1,
        [Range(typeof(TimeSpan), "00:00:01", "01:00:00")] TimeSpan? Span = null,
        [AllowedValues(1, 2)] int OneOf = 1,
        [Length(1, 2)] int[]? List = null
    );

    public sealed class CopyJob : Nothing<Copy>;

    public sealed class TrickyJob : Nothing<Tricky>;

    public sealed class SlowPatternJob : Nothing<SlowPattern>;

    public sealed class RangesJob : Nothing<Ranges>;

    public sealed class NoParametersJob : Nothing<NoParameters>;

    public abstract class Nothing<T> : IJob<T>
    {
        public Task<object?> RunAsync(T parameters, JobContext context, CancellationToken cancellationToken) =>
            Task.FromResult<object?>(null);
    }
}
